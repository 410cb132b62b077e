// A transposed times A times x. Control: fixed. Sizes: 40 130 400.
#include <stdio.h>
#ifndef N
#define N 130
#endif
#define M (N - 10)
static double a[M][N], x[N], y[N], tmp[M];
int main(void) {
    for (int i = 0; i < N; i++) x[i] = 1 + i / (double)N;
    for (int i = 0; i < M; i++)
        for (int j = 0; j < N; j++) a[i][j] = (double)((i + j) % N) / (5 * M);
    for (int i = 0; i < N; i++) y[i] = 0;
    for (int i = 0; i < M; i++) {
        tmp[i] = 0.0;
        for (int j = 0; j < N; j++) tmp[i] += a[i][j] * x[j];
        for (int j = 0; j < N; j++) y[j] += a[i][j] * tmp[i];
    }
    printf("atax %g %g\n", y[0], y[N - 1]);
    return 0;
}
