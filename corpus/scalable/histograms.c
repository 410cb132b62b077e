// Histogram of n bytes and its sorted listing. Growth: n. Runs: 5000 10000 15000 25000 40000 > 4000000.
#include <stdio.h>
#include <stdlib.h>
static unsigned s = 12345;
static unsigned next_random(void) { return s = s * 1664525u + 1013904223u, s >> 8; }
int main(int argc, char **argv) {
    if (argc < 2) return 2;
    long n = atol(argv[1]);
    long count[256] = {0};
    for (long i = 0; i < n; i++) count[next_random() & 255]++;
    for (int i = 0; i < 256; i++)
        for (int j = i; j > 0 && count[j] > count[j - 1]; j--) { long t = count[j]; count[j] = count[j - 1]; count[j - 1] = t; }
    printf("%ld %ld\n", count[0], count[255]);
    return 0;
}
