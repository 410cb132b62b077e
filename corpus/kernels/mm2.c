// Two matrix products in a row, in functions with sizes as parameters. Control: fixed. Sizes: 10 32 100.
#include <stdio.h>
#ifndef N
#define N 32
#endif
#define NI (N)
#define NJ (N + 2)
#define NK (N + 4)
#define NL (N + 6)
static double tmp[NI][NJ], a[NI][NK], b[NK][NJ], c[NJ][NL], d[NI][NL];
static void init(int ni, int nj, int nk, int nl) {
    for (int i = 0; i < ni; i++)
        for (int j = 0; j < nk; j++) a[i][j] = (double)((i * j + 1) % ni) / ni;
    for (int i = 0; i < nk; i++)
        for (int j = 0; j < nj; j++) b[i][j] = (double)(i * (j + 1) % nj) / nj;
    for (int i = 0; i < nj; i++)
        for (int j = 0; j < nl; j++) c[i][j] = (double)((i * (j + 3) + 1) % nl) / nl;
    for (int i = 0; i < ni; i++)
        for (int j = 0; j < nl; j++) d[i][j] = (double)(i * (j + 2) % nk) / nk;
}
__attribute__((noinline)) static void kernel(int ni, int nj, int nk, int nl, double alpha, double beta) {
    for (int i = 0; i < ni; i++)
        for (int j = 0; j < nj; j++) {
            tmp[i][j] = 0.0;
            for (int k = 0; k < nk; ++k) tmp[i][j] += alpha * a[i][k] * b[k][j];
        }
    for (int i = 0; i < ni; i++)
        for (int j = 0; j < nl; j++) {
            d[i][j] *= beta;
            for (int k = 0; k < nj; ++k) d[i][j] += tmp[i][k] * c[k][j];
        }
}
int main(void) {
    init(NI, NJ, NK, NL);
    kernel(NI, NJ, NK, NL, 1.5, 1.2);
    double sum = 0;
    for (int i = 0; i < NI; i++) sum += d[i][i];
    printf("%.2f\n", sum);
    return 0;
}
