// CRC-32 by a table that is built first. Control: fixed. Sizes: 3000 30000 300000.
#include <stdint.h>
#include <stdio.h>
#ifndef N
#define N 30000
#endif
static uint32_t table[256];
static uint8_t data[N];
static void build(void) {
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int k = 0; k < 8; k++) c = c & 1 ? 0xedb88320u ^ (c >> 1) : c >> 1;
        table[i] = c;
    }
}
static uint32_t crc(const uint8_t *p, size_t n) {
    uint32_t c = 0xffffffffu;
    for (size_t i = 0; i < n; i++) c = table[(c ^ p[i]) & 255] ^ (c >> 8);
    return c ^ 0xffffffffu;
}
int main(void) {
    build();
    for (int i = 0; i < N; i++) data[i] = (uint8_t)(i * i);
    printf("%08x\n", crc(data, sizeof data));
    return 0;
}
