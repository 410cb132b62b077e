// Fills an array with xorshift numbers, then reduces it four ways. Held out. Control: fixed. Sizes: 1000 10000 100000.
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#ifndef N
#define N 10000
#endif
static uint64_t state = 88172645463325252ull;
static uint64_t xorshift(void) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}
static int32_t v[N];
int main(void) {
    for (int i = 0; i < N; i++) v[i] = (int32_t)(xorshift() & 0xffffff);
    int64_t sum = 0;
    int32_t low = v[0], high = v[0];
    uint32_t mix = 0;
    for (int i = 0; i < N; i++) sum += v[i];
    for (int i = 1; i < N; i++) {
        low = v[i] < low ? v[i] : low;
        high = v[i] > high ? v[i] : high;
    }
    for (int i = 0; i < N; i++) mix ^= (uint32_t)v[i];
    printf("%" PRId64 " %d %d %u\n", sum, low, high, mix);
    return 0;
}
