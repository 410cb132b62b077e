// Longest common subsequence. Growth: n^2, data. Runs: 80 160 240 320 480 > 5120.
#include <stdio.h>
#include <stdlib.h>
static unsigned s = 12345;
static unsigned next_random(void) { return s = s * 1664525u + 1013904223u, s >> 8; }
int main(int argc, char **argv) {
    if (argc < 2) return 2;
    long n = atol(argv[1]);
    char *x = malloc(n), *y = malloc(n);
    int *row = calloc(n + 1, sizeof *row);
    for (long i = 0; i < n; i++) x[i] = next_random() & 3, y[i] = next_random() & 3;
    for (long i = 0; i < n; i++)
        for (long j = 0, left = 0; j < n; j++) {
            int up = row[j + 1], best = x[i] == y[j] ? left + 1 : up > row[j] ? up : row[j];
            left = up;
            row[j + 1] = best;
        }
    printf("%d\n", row[n]);
    return 0;
}
