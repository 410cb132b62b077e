// Base64 there and back. Control: fixed. Sizes: 3000 30000 300000.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#ifndef N
#define N 30000
#endif
static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static uint8_t back[256];
int main(void) {
    uint8_t *in = malloc(N), *two = malloc(N);
    char *out = malloc(N / 3 * 4 + 4);
    for (int i = 0; i < N; i++) in[i] = (uint8_t)(i * 131 + 7);
    for (int i = 0; i < 64; i++) back[(uint8_t)digits[i]] = (uint8_t)i;
    int o = 0;
    for (int i = 0; i + 2 < N; i += 3) {
        uint32_t v = in[i] << 16 | in[i + 1] << 8 | in[i + 2];
        out[o++] = digits[v >> 18];
        out[o++] = digits[v >> 12 & 63];
        out[o++] = digits[v >> 6 & 63];
        out[o++] = digits[v & 63];
    }
    int t = 0;
    for (int i = 0; i < o; i += 4) {
        uint32_t v = back[(uint8_t)out[i]] << 18 | back[(uint8_t)out[i + 1]] << 12 | back[(uint8_t)out[i + 2]] << 6 | back[(uint8_t)out[i + 3]];
        two[t++] = v >> 16;
        two[t++] = v >> 8;
        two[t++] = v;
    }
    uint32_t sum = 0;
    for (int i = 0; i < t; i++) sum = sum * 31 + (two[i] ^ in[i]);
    printf("%d %u %.8s\n", o, sum, out);
    return 0;
}
