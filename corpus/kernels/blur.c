// Image blur with clamped borders through a filter function. Held out. Control: fixed. Sizes: 24 76 240.
#include <stdint.h>
#include <stdio.h>
#ifndef N
#define N 76
#endif
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
static uint8_t in[N][N], out[N][N];
static const int k[3][3] = {{1, 2, 1}, {2, 4, 2}, {1, 2, 1}};
static int pixel(int y, int x) { return in[MIN(MAX(y, 0), N - 1)][MIN(MAX(x, 0), N - 1)]; }
static void filter(void) {
    for (int y = 0; y < N; y++)
        for (int x = 0; x < N; x++) {
            int s = 0;
            for (int dy = -1; dy <= 1; dy++)
                for (int dx = -1; dx <= 1; dx++) s += k[dy + 1][dx + 1] * pixel(y + dy, x + dx);
            out[y][x] = s >> 4;
        }
}
int main(void) {
    for (int y = 0; y < N; y++)
        for (int x = 0; x < N; x++) in[y][x] = (x * y + x) & 255;
    filter();
    unsigned sum = 0;
    for (int y = 0; y < N; y++)
        for (int x = 0; x < N; x++) sum = sum * 31 + out[y][x];
    printf("checksum %u\n", sum);
    return 0;
}
