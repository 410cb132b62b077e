// Cholesky factorisation. Control: fixed. Sizes: 12 40 120.
#include <math.h>
#include <stdio.h>
#ifndef N
#define N 40
#endif
static double a[N][N];
static void factor(int n) {
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < i; j++) {
            for (int k = 0; k < j; k++) a[i][j] -= a[i][k] * a[j][k];
            a[i][j] /= a[j][j];
        }
        for (int k = 0; k < i; k++) a[i][i] -= a[i][k] * a[i][k];
        a[i][i] = sqrt(a[i][i]);
    }
}
int main(void) {
    for (int i = 0; i < N; i++)
        for (int j = 0; j <= i; j++) a[i][j] = i == j ? 2.0 * N : 1.0 / (i + j + 1);
    factor(N);
    double sum = 0;
    for (int i = 0; i < N; i++) sum += a[i][i];
    printf("cholesky %d %f\n", N, sum);
    return 0;
}
