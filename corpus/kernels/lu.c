// LU decomposition without pivoting, triangular loops. Control: fixed. Sizes: 12 40 120.
#include <stdio.h>
#ifndef N
#define N 40
#endif
static double a[N][N];
int main(void) {
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) a[i][j] = i == j ? N + 1.0 : 1.0 / (1 + i + j);
    for (int k = 0; k < N; k++) {
        for (int i = k + 1; i < N; i++) {
            a[i][k] /= a[k][k];
            for (int j = k + 1; j < N; j++) a[i][j] -= a[i][k] * a[k][j];
        }
    }
    double trace = 0;
    for (int i = 0; i < N; i++) trace += a[i][i];
    printf("lu %d %.6f\n", N, trace);
    return 0;
}
