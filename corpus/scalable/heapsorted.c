// Heap sort of random numbers. Growth: n log n, data. Runs: 1000 2000 4000 8000 16000 > 1200000.
#include <stdio.h>
#include <stdlib.h>
static unsigned s = 12345;
static unsigned next_random(void) { return s = s * 1664525u + 1013904223u, s >> 8; }
static void sift(int *a, long i, long n) {
    for (long child; (child = 2 * i + 1) < n; i = child) {
        if (child + 1 < n && a[child + 1] > a[child]) child++;
        if (a[i] >= a[child]) return;
        int t = a[i];
        a[i] = a[child];
        a[child] = t;
    }
}
int main(int argc, char **argv) {
    if (argc < 2) return 2;
    long n = atol(argv[1]);
    int *a = malloc(n * sizeof *a);
    for (long i = 0; i < n; i++) a[i] = next_random();
    for (long i = n / 2 - 1; i >= 0; i--) sift(a, i, n);
    for (long last = n - 1; last > 0; last--) {
        int t = a[0];
        a[0] = a[last];
        a[last] = t;
        sift(a, 0, last);
    }
    printf("%d %d\n", a[0], a[n - 1]);
    return 0;
}
