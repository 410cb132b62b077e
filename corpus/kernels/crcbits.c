// CRC-16 and CRC-32 bit by bit. Held out. Control: fixed. Sizes: 300 3000 30000.
#include <stdint.h>
#include <stdio.h>
#ifndef N
#define N 3000
#endif
static uint8_t message[N];
static uint32_t crc32(const uint8_t *p, int n) {
    uint32_t crc = ~0u;
    while (n-- > 0) {
        crc ^= *p++;
        for (int bit = 8; bit > 0; bit--) crc = (crc >> 1) ^ (0xEDB88320u & -(crc & 1));
    }
    return ~crc;
}
static uint16_t crc16(const uint8_t *p, int n) {
    uint16_t crc = 0xffff;
    for (int i = 0; i < n; i++) {
        crc ^= (uint16_t)p[i] << 8;
        for (int b = 0; b < 8; b++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
    }
    return crc;
}
int main(void) {
    for (int i = 0; i < N; i++) message[i] = (uint8_t)(i ^ (i >> 3));
    printf("%08x %04x\n", (unsigned)crc32(message, N), crc16(message, N));
    return 0;
}
