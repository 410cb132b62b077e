// Adler-32 with deferred modulo, and a byte sum. Control: fixed. Sizes: 3000 30000 300000.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#ifndef N
#define N 30000
#endif
static uint32_t adler(const uint8_t *p, size_t n) {
    uint32_t a = 1, b = 0;
    while (n > 0) {
        size_t k = n < 5552 ? n : 5552;
        n -= k;
        while (k--) {
            a += *p++;
            b += a;
        }
        a %= 65521;
        b %= 65521;
    }
    return b << 16 | a;
}
int main(void) {
    uint8_t *p = malloc(N);
    for (int i = 0; i < N; i++) p[i] = (uint8_t)(i * 17 ^ i >> 3);
    unsigned long sum = 0;
    for (int i = 0; i < N; i++) sum += p[i];
    printf("%08x %lu\n", adler(p, N), sum);
    free(p);
    return 0;
}
