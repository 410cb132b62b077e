// Cholesky factor through row pointers, checked against its product. Held out. Control: fixed. Sizes: 12 26 56.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#ifndef N
#define N 26
#endif
static double **matrix(int n) {
    double **m = (double **)malloc(n * sizeof(double *));
    for (int i = 0; i < n; i++) m[i] = (double *)calloc(n, sizeof(double));
    return m;
}
int main(void) {
    double **a = matrix(N), **l = matrix(N);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) a[i][j] = i == j ? N + 1.0 : 1.0 / (1 + i + j);
    for (int j = 0; j < N; j++) {
        double sum = 0.0;
        for (int k = 0; k < j; k++) sum += l[j][k] * l[j][k];
        l[j][j] = sqrt(a[j][j] - sum);
        for (int i = j + 1; i < N; i++) {
            sum = 0.0;
            for (int k = 0; k < j; k++) sum += l[i][k] * l[j][k];
            l[i][j] = (a[i][j] - sum) / l[j][j];
        }
    }
    double worst = 0.0;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            double s = 0.0;
            for (int k = 0; k < N; k++) s += l[i][k] * l[j][k];
            worst = fmax(worst, fabs(s - a[i][j]));
        }
    printf("%g %s\n", l[N - 1][N - 1], worst < 1e-6 ? "ok" : "bad");
    return 0;
}
