// Products in a field of 256 elements: Reed-Solomon parity. Held out. Control: fixed. Sizes: 60 600 6000.
#include <stdint.h>
#include <stdio.h>
#ifndef N
#define N 600
#endif
#define PARITY 8
static uint8_t mul(uint8_t a, uint8_t b) {
    uint8_t p = 0;
    for (int i = 0; i < 8; i++) {
        p ^= a & -(b & 1);
        a = (a << 1) ^ (0x1d & -(a >> 7));
        b >>= 1;
    }
    return p;
}
static uint8_t message[N], parity[PARITY], generator[PARITY];
int main(void) {
    uint8_t root = 1;
    for (int i = 0; i < PARITY; i++) {
        generator[i] = mul(root, 3) ^ i;
        root = mul(root, 2);
    }
    for (int i = 0; i < N; i++) message[i] = i * 11;
    for (int i = 0; i < N; i++) {
        uint8_t feedback = message[i] ^ parity[0];
        for (int j = 0; j < PARITY - 1; j++) parity[j] = parity[j + 1] ^ mul(feedback, generator[j]);
        parity[PARITY - 1] = mul(feedback, generator[PARITY - 1]);
    }
    for (int i = 0; i < PARITY; i++) printf("%02x ", parity[i]);
    puts("");
    return 0;
}
