// Bubble sort of random numbers. Growth: n^2, data. Runs: 100 200 300 400 600 > 6600.
#include <stdio.h>
#include <stdlib.h>
static unsigned s = 12345;
static unsigned next_random(void) { return s = s * 1664525u + 1013904223u, s >> 8; }
int main(int argc, char **argv) {
    if (argc < 2) return 2;
    long n = atol(argv[1]);
    int *a = malloc(n * sizeof *a);
    for (long i = 0; i < n; i++) a[i] = next_random() % 100000;
    for (long i = 0; i < n; i++)
        for (long j = 1; j < n - i; j++)
            if (a[j - 1] > a[j]) { int t = a[j]; a[j] = a[j - 1]; a[j - 1] = t; }
    printf("%d %d\n", a[0], a[n - 1]);
    return 0;
}
