// SHA-1 over a buffer, block by block with padding. Held out. Control: fixed. Sizes: 500 5000 50000.
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#ifndef N
#define N 5000
#endif
typedef struct { uint32_t h[5]; uint8_t block[64]; uint64_t length; unsigned fill; } sha1;
#define ROL(x, n) ((x) << (n) | (x) >> (32 - (n)))
static void transform(sha1 *s) {
    uint32_t w[80], a = s->h[0], b = s->h[1], c = s->h[2], d = s->h[3], e = s->h[4];
    for (int i = 0; i < 16; i++)
        w[i] = (uint32_t)s->block[4 * i] << 24 | s->block[4 * i + 1] << 16 | s->block[4 * i + 2] << 8 | s->block[4 * i + 3];
    for (int i = 16; i < 80; i++) w[i] = ROL(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    for (int i = 0; i < 80; i++) {
        uint32_t f, k;
        if (i < 20) { f = (b & c) | (~b & d); k = 0x5a827999; }
        else if (i < 40) { f = b ^ c ^ d; k = 0x6ed9eba1; }
        else if (i < 60) { f = (b & c) | (b & d) | (c & d); k = 0x8f1bbcdc; }
        else { f = b ^ c ^ d; k = 0xca62c1d6; }
        uint32_t t = ROL(a, 5) + f + e + k + w[i];
        e = d; d = c; c = ROL(b, 30); b = a; a = t;
    }
    s->h[0] += a; s->h[1] += b; s->h[2] += c; s->h[3] += d; s->h[4] += e;
}
static void update(sha1 *s, const uint8_t *p, size_t n) {
    s->length += n;
    while (n--) {
        s->block[s->fill++] = *p++;
        if (s->fill == 64) { transform(s); s->fill = 0; }
    }
}
static void final(sha1 *s) {
    uint64_t bits = s->length * 8;
    uint8_t pad = 0x80, zero = 0;
    update(s, &pad, 1);
    while (s->fill != 56) update(s, &zero, 1);
    for (int i = 7; i >= 0; i--) { uint8_t c = bits >> (8 * i); update(s, &c, 1); }
}
static uint8_t data[N];
int main(void) {
    sha1 s = {{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0}};
    for (int i = 0; i < N; i++) data[i] = i * 3 + 1;
    update(&s, data, N);
    final(&s);
    for (int i = 0; i < 5; i++) printf("%08x", s.h[i]);
    putchar('\n');
    return 0;
}
