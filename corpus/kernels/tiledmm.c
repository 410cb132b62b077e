// Matrix product in tiles with remainders. Held out. Control: fixed. Sizes: 20 44 95.
#include <stdio.h>
#include <stdlib.h>
#ifndef N
#define N 44
#endif
#define B 8
#define MIN(x, y) ((x) < (y) ? (x) : (y))
static void block(int n, int m, int l, const double *restrict a, const double *restrict b, double *restrict c) {
    for (int i = 0; i < n; i++)
        for (int j = 0; j < m; j++) {
            double s = c[i * N + j];
            for (int k = 0; k < l; k++) s += a[i * N + k] * b[k * N + j];
            c[i * N + j] = s;
        }
}
int main(void) {
    double *a = malloc(N * N * 8), *b = malloc(N * N * 8), *c = calloc(N * N, 8);
    for (int i = 0; i < N * N; i++) {
        a[i] = i % 13;
        b[i] = i % 7 - 3;
    }
    for (int i = 0; i < N; i += B)
        for (int j = 0; j < N; j += B)
            for (int k = 0; k < N; k += B)
                block(MIN(B, N - i), MIN(B, N - j), MIN(B, N - k), a + i * N + k, b + k * N + j, c + i * N + j);
    double trace = 0;
    for (int i = 0; i < N; i++) trace += c[i * N + i];
    printf("%f\n", trace);
    free(c); free(b); free(a);
    return 0;
}
