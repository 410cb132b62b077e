// The ten most frequent words of standard input, through a hash table with chaining.
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct entry {
    struct entry *next;
    unsigned long count;
    char word[32];
};

#define BUCKETS 4096
static struct entry *table[BUCKETS];

static struct entry *find(const char *word) {
    unsigned hash = 5381;
    for (const char *c = word; *c; c++) hash = hash * 33 + (unsigned char)*c;
    for (struct entry *e = table[hash % BUCKETS]; e; e = e->next)
        if (strcmp(e->word, word) == 0) return e;
    struct entry *fresh = calloc(1, sizeof *fresh);
    if (!fresh) exit(3);
    strcpy(fresh->word, word);
    fresh->next = table[hash % BUCKETS];
    return table[hash % BUCKETS] = fresh;
}

static int by_count(const void *left, const void *right) {
    const struct entry *a = *(struct entry *const *)left, *b = *(struct entry *const *)right;
    if (a->count != b->count) return a->count < b->count ? 1 : -1;
    return strcmp(a->word, b->word);
}

int main(void) {
    char word[32];
    size_t length = 0, distinct = 0;
    int c;
    do {
        c = getchar();
        if (c != EOF && isalpha(c)) {
            if (length + 1 < sizeof word) word[length++] = (char)tolower(c);
        } else if (length) {
            word[length] = 0;
            struct entry *e = find(word);
            distinct += e->count++ == 0;
            length = 0;
        }
    } while (c != EOF);
    struct entry **all = malloc((distinct + 1) * sizeof *all);
    if (!all) return 3;
    size_t filled = 0;
    for (int i = 0; i < BUCKETS; i++)
        for (struct entry *e = table[i]; e; e = e->next) all[filled++] = e;
    qsort(all, filled, sizeof *all, by_count);
    for (size_t i = 0; i < filled && i < 10; i++) printf("%7lu %s\n", all[i]->count, all[i]->word);
    return 0;
}
