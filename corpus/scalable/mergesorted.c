// Merge sort of random numbers. Growth: n log n, data. Runs: 1000 2000 4000 8000 16000 > 1200000.
#include <stdio.h>
#include <stdlib.h>
static unsigned s = 12345;
static unsigned next_random(void) { return s = s * 1664525u + 1013904223u, s >> 8; }
static void sort(int *a, int *b, long n) {
    if (n < 2) return;
    long half = n / 2, i = 0, j = half, k = 0;
    sort(a, b, half);
    sort(a + half, b, n - half);
    while (i < half && j < n) b[k++] = a[i] <= a[j] ? a[i++] : a[j++];
    while (i < half) b[k++] = a[i++];
    while (j < n) b[k++] = a[j++];
    for (k = 0; k < n; k++) a[k] = b[k];
}
int main(int argc, char **argv) {
    if (argc < 2) return 2;
    long n = atol(argv[1]);
    int *a = malloc(n * sizeof *a), *b = malloc(n * sizeof *b);
    for (long i = 0; i < n; i++) a[i] = next_random();
    sort(a, b, n);
    printf("%d %d\n", a[0], a[n - 1]);
    return 0;
}
