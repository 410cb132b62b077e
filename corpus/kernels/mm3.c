// Three matrix products on heap arrays, row pointers. Control: fixed. Sizes: 10 32 100.
#include <stdio.h>
#include <stdlib.h>
#ifndef N
#define N 32
#endif
static double **matrix(int n, int seed) {
    double **rows = malloc(n * sizeof *rows);
    for (int i = 0; i < n; i++) {
        rows[i] = malloc(n * sizeof **rows);
        for (int j = 0; j < n; j++) rows[i][j] = (double)((i * seed + j) % n) / n;
    }
    return rows;
}
static void multiply(int n, double **a, double **b, double **c) {
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            double sum = 0;
            for (int k = 0; k < n; k++) sum += a[i][k] * b[k][j];
            c[i][j] = sum;
        }
}
int main(void) {
    double **a = matrix(N, 1), **b = matrix(N, 2), **c = matrix(N, 3), **d = matrix(N, 4);
    double **e = matrix(N, 5), **f = matrix(N, 6), **g = matrix(N, 7);
    multiply(N, a, b, e);
    multiply(N, c, d, f);
    multiply(N, e, f, g);
    printf("%.4f\n", g[N / 2][N / 2]);
    return 0;
}
