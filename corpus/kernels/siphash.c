// SipHash of messages of growing length. Held out later. Control: fixed. Sizes: 40 130 410.
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#ifndef N
#define N 130
#endif
#define ROTL(x, b) ((x) << (b) | (x) >> (64 - (b)))
#define ROUND (v0 += v1, v1 = ROTL(v1, 13), v1 ^= v0, v0 = ROTL(v0, 32), v2 += v3, v3 = ROTL(v3, 16), v3 ^= v2, \
               v0 += v3, v3 = ROTL(v3, 21), v3 ^= v0, v2 += v1, v1 = ROTL(v1, 17), v1 ^= v2, v2 = ROTL(v2, 32))
static uint64_t siphash(const uint8_t *in, size_t length, uint64_t k0, uint64_t k1) {
    uint64_t v0 = 0x736f6d6570736575 ^ k0, v1 = 0x646f72616e646f6d ^ k1;
    uint64_t v2 = 0x6c7967656e657261 ^ k0, v3 = 0x7465646279746573 ^ k1;
    const uint8_t *end = in + (length & ~(size_t)7);
    for (; in != end; in += 8) {
        uint64_t m;
        memcpy(&m, in, 8);
        v3 ^= m;
        ROUND;
        ROUND;
        v0 ^= m;
    }
    uint64_t last = (uint64_t)length << 56;
    for (size_t i = 0; i < (length & 7); i++) last |= (uint64_t)in[i] << 8 * i;
    v3 ^= last;
    ROUND;
    ROUND;
    v0 ^= last;
    v2 ^= 0xff;
    for (int i = 0; i < 4; i++) ROUND;
    return v0 ^ v1 ^ v2 ^ v3;
}
int main(void) {
    static uint8_t message[N];
    uint64_t sum = 0;
    for (int i = 0; i < N; i++) {
        message[i] = (uint8_t)i;
        sum ^= siphash(message, (size_t)i, 0x0706050403020100, 0x0f0e0d0c0b0a0908);
    }
    printf("%016llx\n", (unsigned long long)sum);
    return 0;
}
