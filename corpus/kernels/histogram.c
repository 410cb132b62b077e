// Histogram of generated values, and its cumulative sum. Control: fixed. Sizes: 3000 30000 300000.
#include <stdio.h>
#ifndef N
#define N 30000
#endif
static unsigned char v[N];
int main(void) {
    unsigned x = 99, bins[256] = {0}, sums[256];
    for (int i = 0; i < N; i++) {
        x = x * 1664525u + 1013904223u;
        v[i] = x >> 24;
    }
    for (int i = 0; i < N; i++) bins[v[i]]++;
    unsigned total = 0;
    for (int i = 0; i < 256; i++) sums[i] = total += bins[i];
    printf("%u %u %u\n", bins[7], sums[100], sums[255]);
    return 0;
}
