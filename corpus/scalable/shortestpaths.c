// All shortest paths (Floyd and Warshall). Growth: n^3, data. Runs: 12 24 32 48 56 > 280.
#include <stdio.h>
#include <stdlib.h>
static unsigned s = 12345;
static unsigned next_random(void) { return s = s * 1664525u + 1013904223u, s >> 8; }
int main(int argc, char **argv) {
    if (argc < 2) return 2;
    long n = atol(argv[1]);
    int *d = malloc(n * n * sizeof *d);
    for (long i = 0; i < n * n; i++) d[i] = 1 + next_random() % 1000;
    for (long k = 0; k < n; k++)
        for (long i = 0; i < n; i++)
            for (long j = 0; j < n; j++)
                if (d[i * n + k] + d[k * n + j] < d[i * n + j]) d[i * n + j] = d[i * n + k] + d[k * n + j];
    printf("%d\n", d[n - 1]);
    return 0;
}
