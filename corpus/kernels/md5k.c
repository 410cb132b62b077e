// MD5 of a buffer, its rounds by tables of shifts and constants. Held out later. Control: fixed. Sizes: 500 5000 50000.
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#ifndef N
#define N 5000
#endif
static uint32_t constant[64];
static const uint8_t shift[4][4] = {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};
static uint8_t data[(N + 72) / 64 * 64];
static void block(uint32_t state[4], const uint8_t *p) {
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    for (int i = 0; i < 64; i++) {
        uint32_t f;
        int g;
        if (i < 16) f = (b & c) | (~b & d), g = i;
        else if (i < 32) f = (d & b) | (~d & c), g = (5 * i + 1) % 16;
        else if (i < 48) f = b ^ c ^ d, g = (3 * i + 5) % 16;
        else f = c ^ (b | ~d), g = 7 * i % 16;
        uint32_t word;
        memcpy(&word, p + 4 * g, 4);
        f += a + constant[i] + word;
        a = d;
        d = c;
        c = b;
        int s = shift[i / 16][i % 4];
        b += f << s | f >> (32 - s);
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d;
}
int main(void) {
    for (int i = 0; i < 64; i++) constant[i] = (uint32_t)floor(4294967296.0 * fabs(sin(i + 1)));
    for (int i = 0; i < N; i++) data[i] = (uint8_t)(i * 31);
    data[N] = 0x80;
    uint64_t bits = (uint64_t)N * 8;
    memcpy(data + sizeof data - 8, &bits, 8);
    uint32_t state[4] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
    for (size_t at = 0; at < sizeof data; at += 64) block(state, data + at);
    printf("%08x%08x%08x%08x\n", state[0], state[1], state[2], state[3]);
    return 0;
}
