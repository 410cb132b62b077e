// Insertions into an open hash table twice as large. Growth: n, data. Runs: 5000 10000 15000 25000 40000 > 4000000.
#include <stdio.h>
#include <stdlib.h>
static unsigned s = 12345;
static unsigned next_random(void) { return s = s * 1664525u + 1013904223u, s >> 8; }
int main(int argc, char **argv) {
    if (argc < 2) return 2;
    long n = atol(argv[1]);
    long size = 2 * n + 1, probes = 0;
    unsigned *table = calloc(size, sizeof *table);
    for (long i = 0; i < n; i++) {
        next_random();
        unsigned key = s | 1;
        long at = key % size;
        while (table[at] && table[at] != key) at = at + 1 == size ? 0 : at + 1, probes++;
        table[at] = key;
    }
    printf("%ld\n", probes);
    return 0;
}
