// Schoolbook product of long numbers. Held out. Control: fixed. Sizes: 24 76 240.
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#ifndef N
#define N 76
#endif
typedef struct { uint32_t limb[2 * N]; } big;
static void multiply(const uint32_t *a, const uint32_t *b, uint32_t *r, int n) {
    memset(r, 0, 2 * n * sizeof *r);
    for (int i = 0; i < n; i++) {
        uint64_t carry = 0;
        for (int j = 0; j < n; j++) {
            uint64_t t = (uint64_t)a[i] * b[j] + r[i + j] + carry;
            r[i + j] = (uint32_t)t;
            carry = t >> 32;
        }
        r[i + n] = (uint32_t)carry;
    }
}
static uint32_t add(uint32_t *a, const uint32_t *b, int n) {
    uint64_t carry = 0;
    for (int i = 0; i < n; i++) {
        carry += (uint64_t)a[i] + b[i];
        a[i] = (uint32_t)carry;
        carry >>= 32;
    }
    return (uint32_t)carry;
}
int main(void) {
    static big x, y, z;
    uint32_t s = 3;
    for (int i = 0; i < N; i++) {
        s = s * 1664525 + 1013904223;
        x.limb[i] = s;
        y.limb[i] = ~s;
    }
    uint32_t over = 0;
    for (int round = 0; round < 4; round++) {
        multiply(x.limb, y.limb, z.limb, N);
        over += add(x.limb, z.limb + N, N);
    }
    printf("%x %x %u\n", (unsigned)z.limb[2 * N - 1], (unsigned)x.limb[0], (unsigned)over);
    return 0;
}
