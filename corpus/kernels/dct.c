// Two-dimensional cosine transform of 8x8 blocks. Control: fixed. Sizes: 16 48 160.
#include <math.h>
#include <stdio.h>
#ifndef N
#define N 48
#endif
static double in[N][N], out[N][N], c[8][8];
int main(void) {
    for (int u = 0; u < 8; u++)
        for (int x = 0; x < 8; x++) c[u][x] = cos((2 * x + 1) * u * 3.14159265358979 / 16) * (u ? 0.5 : 0.35355339);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) in[i][j] = (i * 7 + j * 13) % 255;
    for (int bi = 0; bi < N; bi += 8)
        for (int bj = 0; bj < N; bj += 8) {
            double t[8][8];
            for (int u = 0; u < 8; u++)
                for (int j = 0; j < 8; j++) {
                    double s = 0;
                    for (int x = 0; x < 8; x++) s += c[u][x] * in[bi + x][bj + j];
                    t[u][j] = s;
                }
            for (int u = 0; u < 8; u++)
                for (int v = 0; v < 8; v++) {
                    double s = 0;
                    for (int y = 0; y < 8; y++) s += c[v][y] * t[u][y];
                    out[bi + u][bj + v] = s;
                }
        }
    printf("%.3f %.3f\n", out[0][0], out[N - 1][N - 1]);
    return 0;
}
