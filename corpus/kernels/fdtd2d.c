// 2-d finite-difference time-domain kernel. Control: fixed. Sizes: 20 60 180.
#include <stdio.h>
#ifndef N
#define N 60
#endif
#define STEPS 12
static double ex[N][N], ey[N][N], hz[N][N], fict[STEPS];
int main(void) {
    for (int i = 0; i < STEPS; i++) fict[i] = (double)i;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            ex[i][j] = ((double)i * (j + 1)) / N;
            ey[i][j] = ((double)i * (j + 2)) / N;
            hz[i][j] = ((double)i * (j + 3)) / N;
        }
    for (int t = 0; t < STEPS; t++) {
        for (int j = 0; j < N; j++) ey[0][j] = fict[t];
        for (int i = 1; i < N; i++)
            for (int j = 0; j < N; j++) ey[i][j] = ey[i][j] - 0.5 * (hz[i][j] - hz[i - 1][j]);
        for (int i = 0; i < N; i++)
            for (int j = 1; j < N; j++) ex[i][j] = ex[i][j] - 0.5 * (hz[i][j] - hz[i][j - 1]);
        for (int i = 0; i < N - 1; i++)
            for (int j = 0; j < N - 1; j++)
                hz[i][j] = hz[i][j] - 0.7 * (ex[i][j + 1] - ex[i][j] + ey[i + 1][j] - ey[i][j]);
    }
    printf("%g %g %g\n", ex[1][1], ey[N / 2][1], hz[N / 2][N / 2]);
    return 0;
}
