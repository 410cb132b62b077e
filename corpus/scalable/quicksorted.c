// Quicksort of random numbers. Growth: n log n, data. Runs: 1000 2000 4000 8000 16000 > 1200000.
#include <stdio.h>
#include <stdlib.h>
static unsigned s = 12345;
static unsigned next_random(void) { return s = s * 1664525u + 1013904223u, s >> 8; }
static void sort(int *a, long low, long high) {
    while (low < high) {
        int pivot = a[(low + high) / 2];
        long i = low, j = high;
        while (i <= j) {
            while (a[i] < pivot) i++;
            while (a[j] > pivot) j--;
            if (i <= j) { int t = a[i]; a[i++] = a[j]; a[j--] = t; }
        }
        if (j - low < high - i) sort(a, low, j), low = i;
        else sort(a, i, high), high = j;
    }
}
int main(int argc, char **argv) {
    if (argc < 2) return 2;
    long n = atol(argv[1]);
    int *a = malloc(n * sizeof *a);
    for (long i = 0; i < n; i++) a[i] = next_random();
    sort(a, 0, n - 1);
    printf("%d %d\n", a[0], a[n - 1]);
    return 0;
}
