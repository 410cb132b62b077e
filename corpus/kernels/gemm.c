// Matrix product with scaling (PolyBench gemm). Control: fixed. Sizes: 12 40 120.
#include <stdio.h>
#ifndef N
#define N 40
#endif
static double a[N][N], b[N][N], c[N][N];
int main(void) {
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            a[i][j] = (double)(i * j % N) / N;
            b[i][j] = (double)(i * (j + 1) % N) / N;
            c[i][j] = (double)((i + 2 * j) % N) / N;
        }
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < N; j++) c[i][j] *= 1.2;
        for (int k = 0; k < N; k++)
            for (int j = 0; j < N; j++) c[i][j] += 1.5 * a[i][k] * b[k][j];
    }
    double sum = 0;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) sum += c[i][j];
    printf("gemm %d %.3f\n", N, sum);
    return 0;
}
