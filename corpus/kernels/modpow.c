// Modular powers of big integers by Montgomery's multiplication. Held out third. Control: fixed. Sizes: 4 9 20.
#include <stdint.h>
#include <stdio.h>
#ifndef N
#define N 9
#endif
static uint32_t modulus[N], inverse;
static void multiply(uint32_t *out, const uint32_t *a, const uint32_t *b) {
    uint32_t t[N + 2] = {0};
    for (int i = 0; i < N; i++) {
        uint64_t carry = 0;
        for (int j = 0; j < N; j++) {
            carry += (uint64_t)a[j] * b[i] + t[j];
            t[j] = (uint32_t)carry;
            carry >>= 32;
        }
        carry += t[N];
        t[N] = (uint32_t)carry;
        t[N + 1] = (uint32_t)(carry >> 32);
        uint32_t m = t[0] * inverse;
        carry = ((uint64_t)m * modulus[0] + t[0]) >> 32;
        for (int j = 1; j < N; j++) {
            carry += (uint64_t)m * modulus[j] + t[j];
            t[j - 1] = (uint32_t)carry;
            carry >>= 32;
        }
        carry += t[N];
        t[N - 1] = (uint32_t)carry;
        t[N] = t[N + 1] + (uint32_t)(carry >> 32);
    }
    uint64_t borrow = 0;
    uint32_t less[N];
    for (int j = 0; j < N; j++) {
        uint64_t d = (uint64_t)t[j] - modulus[j] - borrow;
        less[j] = (uint32_t)d;
        borrow = d >> 63;
    }
    uint32_t keep = (uint32_t)-(int32_t)(borrow > t[N]);
    for (int j = 0; j < N; j++) out[j] = (t[j] & keep) | (less[j] & ~keep);
}
int main(void) {
    uint32_t base[N], power[N], one[N] = {0};
    for (int i = 0; i < N; i++) {
        modulus[i] = 0x9e3779b9u * (i + 1) | 1;
        base[i] = 0x85ebca6bu * (i + 3);
    }
    base[N - 1] = modulus[N - 1] >> 1;
    inverse = 1;
    for (int i = 0; i < 5; i++) inverse *= 2 - modulus[0] * inverse;
    inverse = -inverse;
    one[0] = 1;
    for (int i = 0; i < N; i++) power[i] = one[i];
    for (int bit = 32 * N - 1; bit >= 0; bit--) {
        uint32_t other[N];
        multiply(power, power, power);
        multiply(other, power, base);
        uint32_t take = (uint32_t)-(int32_t)((0xb7e15163u * (uint32_t)(bit / 32 + 1) >> bit % 32) & 1);
        for (int i = 0; i < N; i++) power[i] = (power[i] & ~take) | (other[i] & take);
    }
    for (int i = 0; i < N; i++) printf("%08x", power[i]);
    puts("");
    return 0;
}
