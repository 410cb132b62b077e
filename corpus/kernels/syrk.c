// Symmetric rank-k update. Control: fixed. Sizes: 12 40 120.
#include <stdio.h>
#ifndef N
#define N 40
#endif
#define M (N + 4)
static double c[N][N], a[N][M];
static void syrk(int n, int m, double alpha, double beta) {
    for (int i = 0; i < n; i++) {
        for (int j = 0; j <= i; j++) c[i][j] *= beta;
        for (int k = 0; k < m; k++)
            for (int j = 0; j <= i; j++) c[i][j] += alpha * a[i][k] * a[j][k];
    }
}
int main(void) {
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < M; j++) a[i][j] = (double)((i * j + 1) % N) / N;
        for (int j = 0; j < N; j++) c[i][j] = (double)((i * j + 2) % M) / M;
    }
    syrk(N, M, 1.5, 1.2);
    printf("syrk %d %.4f\n", N, c[N / 2][N / 3]);
    return 0;
}
