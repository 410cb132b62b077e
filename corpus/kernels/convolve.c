// 5x5 convolution of an image of bytes. Control: fixed. Sizes: 20 60 180.
#include <stdint.h>
#include <stdio.h>
#ifndef N
#define N 60
#endif
static uint8_t in[N][N], out[N][N];
static const int kernel[5][5] = {{1, 4, 6, 4, 1}, {4, 16, 24, 16, 4}, {6, 24, 36, 24, 6}, {4, 16, 24, 16, 4}, {1, 4, 6, 4, 1}};
int main(void) {
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) in[i][j] = (uint8_t)(i * 5 ^ j * 3);
    for (int i = 2; i < N - 2; i++)
        for (int j = 2; j < N - 2; j++) {
            int sum = 0;
            for (int y = 0; y < 5; y++)
                for (int x = 0; x < 5; x++) sum += kernel[y][x] * in[i + y - 2][j + x - 2];
            out[i][j] = (uint8_t)(sum >> 8);
        }
    unsigned check = 0;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) check = check * 33 + out[i][j];
    printf("%u\n", check);
    return 0;
}
