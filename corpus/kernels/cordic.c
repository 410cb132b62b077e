// Sines, cosines and square roots in fixed point, by shifts and additions. Held out third. Control: fixed. Sizes: 100 1000 10000.
#include <stdint.h>
#include <stdio.h>
#ifndef N
#define N 1000
#endif
static const int32_t angles[24] = {
    210828714, 124459457, 65760959, 33381290, 16755422, 8385879, 4193963, 2097109, 1048571, 524287, 262144, 131072,
    65536, 32768, 16384, 8192, 4096, 2048, 1024, 512, 256, 128, 64, 32,
};
static void rotate(int32_t angle, int32_t *cosine, int32_t *sine) {
    int32_t x = 163008218, y = 0;
    for (int k = 0; k < 24; k++) {
        int32_t turn = angle >> 31, dx = y >> k, dy = x >> k;
        x -= (dx ^ turn) - turn;
        y += (dy ^ turn) - turn;
        angle -= (angles[k] ^ turn) - turn;
    }
    *cosine = x;
    *sine = y;
}
static uint32_t root(uint32_t n) {
    uint32_t out = 0, rest = 0;
    for (int k = 0; k < 16; k++) {
        rest = rest << 2 | n >> 30;
        n <<= 2;
        uint32_t trial = out << 2 | 1, fits = (uint32_t)-(int32_t)(rest >= trial);
        rest -= trial & fits;
        out = out << 1 | (fits & 1);
    }
    return out;
}
int main(void) {
    uint32_t sum = 0;
    for (int i = 0; i < N; i++) {
        int32_t c, s;
        rotate((int32_t)((int64_t)i * 421657428 / N) - 210828714, &c, &s);
        sum += (uint32_t)(c >> 8) ^ (uint32_t)(s >> 9);
        sum += root((uint32_t)i * 2654435761u);
    }
    printf("%u\n", sum);
    return 0;
}
