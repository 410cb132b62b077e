// Vector multiplication and matrix addition. Control: fixed. Sizes: 40 130 400.
#include <stdio.h>
#include <stdlib.h>
#ifndef N
#define N 130
#endif
static void kernel(int n, double alpha, double beta, double *a, const double *u1, const double *v1, const double *u2,
                   const double *v2, double *w, double *x, const double *y, const double *z) {
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) a[i * n + j] += u1[i] * v1[j] + u2[i] * v2[j];
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) x[i] = x[i] + beta * a[j * n + i] * y[j];
    for (int i = 0; i < n; i++) x[i] = x[i] + z[i];
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) w[i] = w[i] + alpha * a[i * n + j] * x[j];
}
int main(void) {
    double *a = malloc(N * N * sizeof(double)), *v = malloc(8 * N * sizeof(double));
    for (int i = 0; i < N; i++) {
        for (int k = 0; k < 8; k++) v[k * N + i] = ((i + 1) / (double)N) / (k + 2);
        for (int j = 0; j < N; j++) a[i * N + j] = (double)(i * j % N) / N;
    }
    kernel(N, 1.5, 1.2, a, v, v + N, v + 2 * N, v + 3 * N, v + 4 * N, v + 5 * N, v + 6 * N, v + 7 * N);
    printf("%g %g\n", v[4 * N], v[5 * N - 1]);
    return 0;
}
