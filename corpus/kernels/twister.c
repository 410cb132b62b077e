// The Mersenne twister. Held out. Control: fixed. Sizes: 2000 20000 200000.
#include <stdint.h>
#include <stdio.h>
#ifndef N
#define N 20000
#endif
static uint32_t mt[624];
static int at = 624;
static void seed(uint32_t s) {
    mt[0] = s;
    for (int i = 1; i < 624; i++) mt[i] = 1812433253u * (mt[i - 1] ^ mt[i - 1] >> 30) + i;
}
static uint32_t draw(void) {
    if (at >= 624) {
        for (int k = 0; k < 624; k++) {
            uint32_t y = (mt[k] & 0x80000000u) | (mt[(k + 1) % 624] & 0x7fffffffu);
            mt[k] = mt[(k + 397) % 624] ^ y >> 1 ^ (y & 1 ? 0x9908b0dfu : 0);
        }
        at = 0;
    }
    uint32_t y = mt[at++];
    y ^= y >> 11;
    y ^= y << 7 & 0x9d2c5680u;
    y ^= y << 15 & 0xefc60000u;
    return y ^ y >> 18;
}
int main(void) {
    seed(5489);
    double sum = 0;
    for (int i = 0; i < N; i++) sum += draw() / 4294967296.0;
    printf("%.6f\n", sum / N);
    return 0;
}
