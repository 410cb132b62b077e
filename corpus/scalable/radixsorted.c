// Radix sort by bytes. Growth: n. Runs: 5000 10000 15000 25000 40000 > 4000000.
#include <stdio.h>
#include <stdlib.h>
static unsigned s = 12345;
static unsigned next_random(void) { return s = s * 1664525u + 1013904223u, s >> 8; }
int main(int argc, char **argv) {
    if (argc < 2) return 2;
    long n = atol(argv[1]);
    unsigned *a = malloc(n * sizeof *a), *b = malloc(n * sizeof *b);
    for (long i = 0; i < n; i++) a[i] = next_random();
    for (int shift = 0; shift < 32; shift += 8) {
        long count[257] = {0};
        for (long i = 0; i < n; i++) count[(a[i] >> shift & 255) + 1]++;
        for (int d = 0; d < 256; d++) count[d + 1] += count[d];
        for (long i = 0; i < n; i++) b[count[a[i] >> shift & 255]++] = a[i];
        unsigned *t = a;
        a = b;
        b = t;
    }
    printf("%u %u\n", a[0], a[n - 1]);
    return 0;
}
