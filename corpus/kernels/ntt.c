// Products of polynomials by the number theoretic transform. Held out third. Control: fixed. Sizes: 64 512 4096.
#include <stdint.h>
#include <stdio.h>
#ifndef N
#define N 512
#endif
#define P 998244353u
static uint32_t a[2 * N], b[2 * N];
static uint32_t power(uint32_t x, uint32_t e) {
    uint64_t out = 1, y = x;
    for (; e; e >>= 1) {
        if (e & 1) out = out * y % P;
        y = y * y % P;
    }
    return (uint32_t)out;
}
static void transform(uint32_t *v, int n, uint32_t root) {
    for (int i = 1, j = 0; i < n; i++) {
        int bit = n >> 1;
        for (; j & bit; bit >>= 1) j ^= bit;
        j ^= bit;
        if (i < j) {
            uint32_t t = v[i];
            v[i] = v[j];
            v[j] = t;
        }
    }
    for (int length = 2; length <= n; length <<= 1) {
        uint32_t step = power(root, (P - 1) / length);
        for (int start = 0; start < n; start += length) {
            uint64_t w = 1;
            for (int k = 0; k < length / 2; k++) {
                uint32_t x = v[start + k], y = (uint32_t)(v[start + k + length / 2] * w % P);
                v[start + k] = x + y < P ? x + y : x + y - P;
                v[start + k + length / 2] = x >= y ? x - y : x + P - y;
                w = w * step % P;
            }
        }
    }
}
int main(void) {
    for (int i = 0; i < N; i++) {
        a[i] = (uint32_t)i * 7919 % 1000;
        b[i] = (uint32_t)i * 104729 % 1000;
    }
    transform(a, 2 * N, 3);
    transform(b, 2 * N, 3);
    for (int i = 0; i < 2 * N; i++) a[i] = (uint32_t)((uint64_t)a[i] * b[i] % P);
    transform(a, 2 * N, power(3, P - 2));
    uint32_t scale = power(2 * N, P - 2), sum = 0;
    for (int i = 0; i < 2 * N; i++) sum = sum * 31 + (uint32_t)((uint64_t)a[i] * scale % P);
    printf("%u\n", sum);
    return 0;
}
