// Scalar, vector and matrix multiplication. Control: fixed. Sizes: 40 130 400.
#include <stdio.h>
#ifndef N
#define N 130
#endif
static double a[N][N], b[N][N], x[N], y[N];
int main(void) {
    for (int i = 0; i < N; i++) {
        x[i] = (double)(i % N) / N;
        for (int j = 0; j < N; j++) {
            a[i][j] = (double)((i * j + 1) % N) / N;
            b[i][j] = (double)((i * j + 2) % N) / N;
        }
    }
    for (int i = 0; i < N; i++) {
        double t = 0, u = 0;
        for (int j = 0; j < N; j++) {
            t += a[i][j] * x[j];
            u += b[i][j] * x[j];
        }
        y[i] = 1.5 * t + 1.2 * u;
    }
    for (int i = 0; i < N; i += N / 4) printf("%0.2f ", y[i]);
    printf("\n");
    return 0;
}
