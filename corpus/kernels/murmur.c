// MurmurHash3 (32-bit) of many short keys. Control: fixed. Sizes: 100 1000 10000.
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#ifndef N
#define N 1000
#endif
static uint32_t murmur(const uint8_t *key, size_t len, uint32_t h) {
    for (size_t i = len >> 2; i; i--) {
        uint32_t k;
        memcpy(&k, key, 4);
        key += 4;
        k *= 0xcc9e2d51;
        k = k << 15 | k >> 17;
        k *= 0x1b873593;
        h ^= k;
        h = h << 13 | h >> 19;
        h = h * 5 + 0xe6546b64;
    }
    uint32_t k = 0;
    for (size_t i = len & 3; i; i--) k = k << 8 | key[i - 1];
    k *= 0xcc9e2d51;
    h ^= (k << 15 | k >> 17) * 0x1b873593;
    h ^= len;
    h ^= h >> 16;
    h *= 0x85ebca6b;
    h ^= h >> 13;
    return h ^ h >> 16;
}
int main(void) {
    uint8_t key[23];
    uint32_t all = 0;
    for (int i = 0; i < N; i++) {
        for (unsigned j = 0; j < sizeof key; j++) key[j] = (uint8_t)(i >> (j & 7));
        all ^= murmur(key, sizeof key, i);
    }
    printf("%08x\n", all);
    return 0;
}
