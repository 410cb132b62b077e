// Scrambles with a linear feedback shift register and a Gray code. Held out fourth. Control: fixed. Sizes: 800 8000 80000.
#include <stdint.h>
#include <stdio.h>
#ifndef N
#define N 8000
#endif
static uint8_t text[N];
int main(void) {
    uint32_t state = 0xace1u, check = 0;
    for (int i = 0; i < N; i++) text[i] = (uint8_t)(i * 11 + i / 7);
    for (int i = 0; i < N; i++) {
        uint8_t mask = 0;
        for (int bit = 0; bit < 8; bit++) {
            uint32_t next = (state ^ state >> 2 ^ state >> 3 ^ state >> 5) & 1;
            state = state >> 1 | next << 15;
            mask = (uint8_t)(mask << 1 | next);
        }
        text[i] ^= (uint8_t)(mask ^ mask >> 1);
    }
    for (int i = 0; i < N; i++) check = (check << 5 | check >> 27) ^ text[i];
    printf("%u\n", check);
    return 0;
}
