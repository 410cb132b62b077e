// Multiresolution analysis kernel. Control: fixed. Sizes: 8 16 36.
#include <stdio.h>
#ifndef N
#define N 16
#endif
static double a[N][N][N], c4[N][N], sum[N];
int main(void) {
    for (int r = 0; r < N; r++)
        for (int q = 0; q < N; q++)
            for (int p = 0; p < N; p++) a[r][q][p] = (double)((r * q + p) % N) / N;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) c4[i][j] = (double)(i * j % N) / N;
    for (int r = 0; r < N; r++)
        for (int q = 0; q < N; q++) {
            for (int p = 0; p < N; p++) {
                sum[p] = 0.0;
                for (int s = 0; s < N; s++) sum[p] += a[r][q][s] * c4[s][p];
            }
            for (int p = 0; p < N; p++) a[r][q][p] = sum[p];
        }
    printf("%f\n", a[N - 1][N / 2][1]);
    return 0;
}
