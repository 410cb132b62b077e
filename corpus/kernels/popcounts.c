// Bits counted by table, by arithmetic and by instruction. Held out. Control: fixed. Sizes: 400 4000 40000.
#include <stdint.h>
#include <stdio.h>
#ifndef N
#define N 4000
#endif
static uint8_t table[256];
static uint32_t words[N];
static int by_table(uint32_t x) {
    return table[x & 255] + table[x >> 8 & 255] + table[x >> 16 & 255] + table[x >> 24];
}
static int by_sums(uint32_t x) {
    x = x - ((x >> 1) & 0x55555555);
    x = (x & 0x33333333) + ((x >> 2) & 0x33333333);
    return (((x + (x >> 4)) & 0x0F0F0F0F) * 0x01010101) >> 24;
}
int main(void) {
    for (int i = 1; i < 256; i++) table[i] = (i & 1) + table[i / 2];
    uint32_t x = 2463534242u;
    for (int i = 0; i < N; i++) {
        x ^= x << 13; x ^= x >> 17; x ^= x << 5;
        words[i] = x;
    }
    long a = 0, b = 0, c = 0;
    for (int i = 0; i < N; i++) a += by_table(words[i]);
    for (int i = 0; i < N; i++) b += by_sums(words[i]);
    for (int i = 0; i < N; i++) c += __builtin_popcount(words[i]);
    printf("%ld %ld %ld\n", a, b, c);
    return 0;
}
