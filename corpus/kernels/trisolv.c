// Forward substitution with a lower triangular matrix from malloc. Control: fixed. Sizes: 40 130 400.
#include <stdio.h>
#include <stdlib.h>
#ifndef N
#define N 130
#endif
int main(void) {
    double *l = malloc(sizeof(double) * N * N), *x = malloc(sizeof(double) * N), *b = malloc(sizeof(double) * N);
    if (!l || !x || !b) return 1;
    for (int i = 0; i < N; i++) {
        b[i] = i;
        for (int j = 0; j <= i; j++) l[i * N + j] = (double)(i + N - j + 1) * 2 / N;
    }
    for (int i = 0; i < N; i++) {
        x[i] = b[i];
        for (int j = 0; j < i; j++) x[i] -= l[i * N + j] * x[j];
        x[i] = x[i] / l[i * N + i];
    }
    printf("trisolv %d %f %f\n", N, x[0], x[N - 1]);
    free(l);
    free(x);
    free(b);
    return 0;
}
