// Nine-point smoothing through row pointers, several sweeps. Held out later. Control: fixed. Sizes: 20 60 190.
#include <stdio.h>
#ifndef N
#define N 60
#endif
static float grid[2][N][N];
int main(void) {
    static const float weight[3][3] = {{1, 2, 1}, {2, 4, 2}, {1, 2, 1}};
    for (int y = 0; y < N; y++)
        for (int x = 0; x < N; x++) grid[0][y][x] = (float)((x * 7 + y * 13) % 32);
    int from = 0;
    for (int sweep = 0; sweep < 5; sweep++, from ^= 1) {
        for (int y = 1; y + 1 < N; y++) {
            float *out = grid[from ^ 1][y];
            for (int x = 1; x + 1 < N; x++) {
                float sum = 0;
                for (int dy = -1; dy <= 1; dy++) {
                    const float *row = grid[from][y + dy];
                    for (int dx = -1; dx <= 1; dx++) sum += weight[dy + 1][dx + 1] * row[x + dx];
                }
                out[x] = sum / 16;
            }
        }
    }
    printf("%.5f\n", grid[from][N / 2][N / 2]);
    return 0;
}
