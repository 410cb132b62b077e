// A one-dimensional Poisson problem by V-cycles on halved grids, recursively. Held out later. Control: fixed. Sizes: 64 512 4096.
#include <math.h>
#include <stdio.h>
#ifndef N
#define N 512
#endif
static double u[2 * N + 64], f[2 * N + 64], r[2 * N + 64];
static void smooth(double *x, const double *b, int n, int times) {
    double h2 = 1.0 / ((double)n * n);
    for (int t = 0; t < times; t++)
        for (int i = 1; i < n; i++) x[i] = 0.5 * (x[i - 1] + x[i + 1] + h2 * b[i]);
}
static void cycle(double *x, double *b, double *scratch, int n) {
    if (n <= 4) {
        smooth(x, b, n, 20);
        return;
    }
    smooth(x, b, n, 2);
    double n2 = (double)n * n;
    for (int i = 1; i < n; i++) scratch[i] = b[i] + n2 * (x[i - 1] - 2 * x[i] + x[i + 1]);
    double *coarse = b + n + 1, *correction = x + n + 1;
    for (int i = 1; i < n / 2; i++) {
        coarse[i] = 0.25 * (scratch[2 * i - 1] + 2 * scratch[2 * i] + scratch[2 * i + 1]);
        correction[i] = 0;
    }
    correction[0] = correction[n / 2] = 0;
    cycle(correction, coarse, scratch + n + 1, n / 2);
    for (int i = 0; i < n / 2; i++) {
        x[2 * i] += correction[i];
        x[2 * i + 1] += 0.5 * (correction[i] + correction[i + 1]);
    }
    smooth(x, b, n, 2);
}
int main(void) {
    for (int i = 0; i <= N; i++) f[i] = i % 16 < 8 ? 1 : -1;
    for (int c = 0; c < 6; c++) cycle(u, f, r, N);
    double norm = 0;
    for (int i = 0; i <= N; i++) norm += u[i] * u[i];
    printf("%.9f\n", sqrt(norm));
    return 0;
}
