// Word counts in a chained hash table of allocated nodes. Held out. Control: data. Sizes: 300 3000 30000.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifndef N
#define N 3000
#endif
struct node { struct node *next; char key[12]; int count; };
static struct node *table[512];
static unsigned hash(const char *s) {
    unsigned h = 0;
    for (; *s; s++) h = 31 * h + (unsigned char)*s;
    return h % 512;
}
static struct node *lookup(const char *s) {
    struct node *n;
    unsigned h = hash(s);
    for (n = table[h]; n != NULL; n = n->next)
        if (strcmp(n->key, s) == 0) return n;
    n = malloc(sizeof *n);
    strcpy(n->key, s);
    n->count = 0;
    n->next = table[h];
    return table[h] = n;
}
int main(void) {
    char word[12];
    unsigned x = 7;
    for (int i = 0; i < N; i++) {
        x = x * 1664525u + 1013904223u;
        int length = 3 + (x >> 28) % 3;
        for (int j = 0; j < length; j++) word[j] = 'a' + (x >> (8 + 4 * j)) % 7;
        word[length] = 0;
        lookup(word)->count++;
    }
    int distinct = 0, best = 0;
    for (int h = 0; h < 512; h++)
        for (struct node *n = table[h]; n; n = n->next) {
            distinct++;
            if (n->count > best) best = n->count;
        }
    printf("%d distinct, %d at most\n", distinct, best);
    return 0;
}
