// Tridiagonal systems solved in steps of time. Held out. Control: fixed. Sizes: 30 300 3000.
#include <stdio.h>
#include <stdlib.h>
#ifndef N
#define N 300
#endif
static void solve(int n, const double *a, const double *b, const double *c, double *d, double *scratch) {
    scratch[0] = c[0] / b[0];
    d[0] = d[0] / b[0];
    for (int i = 1; i < n; i++) {
        double m = 1.0 / (b[i] - a[i] * scratch[i - 1]);
        scratch[i] = c[i] * m;
        d[i] = (d[i] - a[i] * d[i - 1]) * m;
    }
    for (int i = n - 2; i >= 0; i--) d[i] -= scratch[i] * d[i + 1];
}
int main(void) {
    double *work = malloc(5 * N * sizeof(double));
    double *a = work, *b = work + N, *c = b + N, *d = c + N, *s = d + N;
    for (int i = 0; i < N; i++) {
        a[i] = c[i] = -0.5;
        b[i] = 2.0;
        d[i] = i == N / 2;
    }
    for (int t = 0; t < 50; t++) solve(N, a, b, c, d, s);
    printf("%.6g\n", d[N / 2]);
    free(work);
    return 0;
}
