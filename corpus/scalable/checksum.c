// Cyclic redundancy check of n bytes, bit by bit. Growth: n. Runs: 2000 4000 6000 10000 16000 > 1800000.
#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv) {
    if (argc < 2) return 2;
    long n = atol(argv[1]);
    unsigned crc = ~0u;
    for (long i = 0; i < n; i++) {
        crc ^= i * 31 & 255;
        for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    printf("%08x\n", ~crc);
    return 0;
}
