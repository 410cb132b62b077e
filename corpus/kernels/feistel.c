// A Feistel cipher with key-made tables, in counter mode and as a hash. Held out third. Control: fixed. Sizes: 40 700 8000.
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#ifndef N
#define N 700
#endif
static uint32_t p[18], s[4][256];
static uint8_t text[8 * N];
static uint32_t f(uint32_t x) {
    return ((s[0][x >> 24] + s[1][x >> 16 & 255]) ^ s[2][x >> 8 & 255]) + s[3][x & 255];
}
static void block(uint32_t *l, uint32_t *r) {
    for (int k = 0; k < 16; k += 2) {
        *l ^= p[k];
        *r ^= f(*l);
        *r ^= p[k + 1];
        *l ^= f(*r);
    }
    uint32_t t = *l ^ p[16];
    *l = *r ^ p[17];
    *r = t;
}
static void schedule(const char *key) {
    uint32_t x = 0x243f6a88;
    for (int k = 0; k < 18; k++) p[k] = x = x * 1664525 + 1013904223;
    for (int t = 0; t < 4; t++)
        for (int k = 0; k < 256; k++) s[t][k] = x = x * 1664525 + 1013904223;
    size_t length = strlen(key), at = 0;
    for (int k = 0; k < 18; k++) {
        uint32_t word = 0;
        for (int b = 0; b < 4; b++, at = at + 1 == length ? 0 : at + 1) word = word << 8 | (uint8_t)key[at];
        p[k] ^= word;
    }
    uint32_t l = 0, r = 0;
    for (int k = 0; k < 18; k += 2) {
        block(&l, &r);
        p[k] = l;
        p[k + 1] = r;
    }
    for (int t = 0; t < 4; t++)
        for (int k = 0; k < 256; k += 2) {
            block(&l, &r);
            s[t][k] = l;
            s[t][k + 1] = r;
        }
}
int main(void) {
    schedule("correct horse battery");
    for (int i = 0; i < N; i++) {
        uint32_t l = (uint32_t)i, r = 0x01234567;
        block(&l, &r);
        memcpy(text + 8 * i, &l, 4);
        memcpy(text + 8 * i + 4, &r, 4);
    }
    uint32_t a = 1, b = 2;
    for (int i = 0; i < N; i++) {
        uint32_t l, r;
        memcpy(&l, text + 8 * i, 4);
        memcpy(&r, text + 8 * i + 4, 4);
        a ^= l;
        b ^= r;
        block(&a, &b);
    }
    printf("%08x%08x\n", a, b);
    return 0;
}
