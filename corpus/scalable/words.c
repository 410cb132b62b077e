// Counts words among n by a chained hash table of growing size. Growth: n, data. Runs: 1000 2000 4000 8000 16000 > 1600000.
#include <stdio.h>
#include <stdlib.h>
static unsigned s = 12345;
static unsigned next_random(void) { return s = s * 1664525u + 1013904223u, s >> 8; }
int main(int argc, char **argv) {
    if (argc < 2) return 2;
    long n = atol(argv[1]);
    struct word { struct word *next; unsigned key; long count; } **table = calloc(16, sizeof *table);
    long size = 16, distinct = 0;
    for (long i = 0; i < n; i++) {
        unsigned key = next_random() % (unsigned)n;
        struct word *w = table[key % size];
        while (w && w->key != key) w = w->next;
        if (w) { w->count++; continue; }
        w = malloc(sizeof *w);
        *w = (struct word){table[key % size], key, 1};
        table[key % size] = w;
        if (++distinct <= size) continue;
        struct word **grown = calloc(2 * size, sizeof *grown);
        for (long b = 0; b < size; b++)
            for (struct word *x = table[b], *after; x; x = after) {
                after = x->next;
                x->next = grown[x->key % (2 * size)];
                grown[x->key % (2 * size)] = x;
            }
        free(table);
        table = grown, size *= 2;
    }
    printf("%ld\n", distinct);
    return 0;
}
