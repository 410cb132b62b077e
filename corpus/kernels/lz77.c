// Greedy LZ77 compression with a hash table. Control: data. Sizes: 1000 10000 100000.
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#ifndef N
#define N 10000
#endif
static uint8_t in[N], out[2 * N];
static int table[4096];
int main(void) {
    for (int i = 0; i < N; i++) in[i] = "the quick brown fox jumps over the lazy dog "[(i + i / 97) % 44];
    memset(table, -1, sizeof table);
    int o = 0;
    for (int i = 0; i < N;) {
        int length = 0, distance = 0;
        if (i + 4 < N) {
            unsigned h = (in[i] | in[i + 1] << 8 | in[i + 2] << 16) * 2654435761u >> 20;
            int at = table[h];
            table[h] = i;
            if (at >= 0 && i - at < 32768) {
                while (length < 255 && i + length < N && in[at + length] == in[i + length]) length++;
                distance = i - at;
            }
        }
        if (length >= 4) {
            out[o++] = 0xff;
            out[o++] = (uint8_t)length;
            out[o++] = (uint8_t)distance;
            out[o++] = (uint8_t)(distance >> 8);
            i += length;
        } else out[o++] = in[i++];
    }
    printf("%d -> %d\n", N, o);
    return 0;
}
