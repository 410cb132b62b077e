// Binary searches in a sorted table. Growth: n log n. Runs: 2000 4000 8000 16000 32000 > 2000000.
#include <stdio.h>
#include <stdlib.h>
static unsigned s = 12345;
static unsigned next_random(void) { return s = s * 1664525u + 1013904223u, s >> 8; }
int main(int argc, char **argv) {
    if (argc < 2) return 2;
    long n = atol(argv[1]);
    int *a = malloc(n * sizeof *a);
    long found = 0;
    for (long i = 0; i < n; i++) a[i] = 2 * i;
    for (long i = 0; i < n; i++) {
        int key = next_random() % (2 * n);
        long low = 0, high = n;
        while (low < high) {
            long middle = (low + high) / 2;
            if (a[middle] < key) low = middle + 1;
            else high = middle;
        }
        found += low < n && a[low] == key;
    }
    printf("%ld\n", found);
    return 0;
}
