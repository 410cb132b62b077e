// Insertion sort of random numbers. Growth: n^2, data. Runs: 100 200 300 400 600 > 6600.
#include <stdio.h>
#include <stdlib.h>
static unsigned s = 12345;
static unsigned next_random(void) { return s = s * 1664525u + 1013904223u, s >> 8; }
int main(int argc, char **argv) {
    if (argc < 2) return 2;
    long n = atol(argv[1]);
    int *a = malloc(n * sizeof *a);
    for (long i = 0; i < n; i++) a[i] = next_random() % 100000;
    for (long i = 1; i < n; i++) {
        int x = a[i];
        long j = i;
        while (j > 0 && a[j - 1] > x) a[j] = a[j - 1], j--;
        a[j] = x;
    }
    printf("%d %d\n", a[0], a[n - 1]);
    return 0;
}
