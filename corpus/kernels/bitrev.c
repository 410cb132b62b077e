// Iterative radix-2 transform modulo a prime. Held out. Control: fixed. Sizes: 64 512 4096.
#include <stdint.h>
#include <stdio.h>
#ifndef N
#define N 512
#endif
#define P 998244353u
static uint32_t a[N];
static uint32_t power(uint32_t b, uint32_t e) {
    uint64_t r = 1, x = b;
    while (e) {
        if (e & 1) r = r * x % P;
        x = x * x % P;
        e >>= 1;
    }
    return (uint32_t)r;
}
static void transform(uint32_t *a, int n) {
    for (int i = 1, j = 0; i < n; i++) {
        int bit = n >> 1;
        for (; j & bit; bit >>= 1) j ^= bit;
        j ^= bit;
        if (i < j) { uint32_t t = a[i]; a[i] = a[j]; a[j] = t; }
    }
    for (int len = 2; len <= n; len <<= 1) {
        uint32_t root = power(3, (P - 1) / len);
        for (int i = 0; i < n; i += len) {
            uint64_t w = 1;
            for (int k = 0; k < len / 2; k++) {
                uint32_t u = a[i + k], v = (uint32_t)(a[i + k + len / 2] * w % P);
                a[i + k] = u + v < P ? u + v : u + v - P;
                a[i + k + len / 2] = u >= v ? u - v : u + P - v;
                w = w * root % P;
            }
        }
    }
}
int main(void) {
    for (int i = 0; i < N; i++) a[i] = i * 5 % 17;
    transform(a, N);
    uint32_t x = 0;
    for (int i = 0; i < N; i++) x ^= a[i];
    printf("%u\n", x);
    return 0;
}
