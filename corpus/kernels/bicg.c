// Subkernel of BiCGStab. Control: fixed. Sizes: 40 130 400.
#include <stdio.h>
#include <stdlib.h>
#ifndef N
#define N 130
#endif
static void bicg(int n, int m, double (*a)[N], double *s, double *q, double *p, double *r) {
    for (int i = 0; i < m; i++) s[i] = 0;
    for (int i = 0; i < n; i++) {
        q[i] = 0.0;
        for (int j = 0; j < m; j++) {
            s[j] = s[j] + r[i] * a[i][j];
            q[i] = q[i] + a[i][j] * p[j];
        }
    }
}
int main(void) {
    double(*a)[N] = malloc(sizeof(double) * N * N);
    double *v = calloc(4 * N, sizeof(double));
    if (!a || !v) return 1;
    for (int i = 0; i < N; i++) {
        v[2 * N + i] = (double)(i % N) / N;
        v[3 * N + i] = (double)(i % 7) / N;
        for (int j = 0; j < N; j++) a[i][j] = (double)(i * (j + 1) % N) / N;
    }
    bicg(N, N, a, v, v + N, v + 2 * N, v + 3 * N);
    printf("bicg %f %f\n", v[N / 2], v[N + N / 2]);
    return 0;
}
