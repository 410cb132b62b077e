// Least-significant-digit radix sort. Control: fixed. Sizes: 500 5000 50000.
#include <stdint.h>
#include <stdio.h>
#ifndef N
#define N 5000
#endif
static uint32_t a[N], b[N];
int main(void) {
    uint32_t x = 2463534242u;
    for (int i = 0; i < N; i++) {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        a[i] = x;
    }
    uint32_t *from = a, *to = b;
    for (int shift = 0; shift < 32; shift += 8) {
        uint32_t count[257] = {0};
        for (int i = 0; i < N; i++) count[((from[i] >> shift) & 255) + 1]++;
        for (int d = 0; d < 256; d++) count[d + 1] += count[d];
        for (int i = 0; i < N; i++) to[count[(from[i] >> shift) & 255]++] = from[i];
        uint32_t *t = from;
        from = to;
        to = t;
    }
    printf("%u %u\n", from[0], from[N - 1]);
    return 0;
}
