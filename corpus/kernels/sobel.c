// Sobel's edge filter on a generated picture, with a histogram of its strengths. Held out later. Control: fixed. Sizes: 20 62 200.
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#ifndef N
#define N 62
#endif
static uint8_t picture[N][N], edges[N][N];
static unsigned histogram[16];
int main(void) {
    for (int y = 0; y < N; y++)
        for (int x = 0; x < N; x++) picture[y][x] = (uint8_t)((x * x + 3 * y) >> 2);
    for (int y = 1; y < N - 1; y++)
        for (int x = 1; x < N - 1; x++) {
            int gx = picture[y - 1][x + 1] + 2 * picture[y][x + 1] + picture[y + 1][x + 1] - picture[y - 1][x - 1]
                - 2 * picture[y][x - 1] - picture[y + 1][x - 1];
            int gy = picture[y + 1][x - 1] + 2 * picture[y + 1][x] + picture[y + 1][x + 1] - picture[y - 1][x - 1]
                - 2 * picture[y - 1][x] - picture[y - 1][x + 1];
            double g = sqrt((double)(gx * gx + gy * gy));
            edges[y][x] = g > 255 ? 255 : (uint8_t)g;
            histogram[edges[y][x] >> 4]++;
        }
    for (int i = 0; i < 16; i++) printf("%u ", histogram[i]);
    printf("\n");
    return 0;
}
