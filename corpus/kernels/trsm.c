// Triangular solve of many right-hand sides in column-major storage with a leading dimension. Held out later. Control: fixed. Sizes: 14 30 65.
#include <stdio.h>
#include <stdlib.h>
#ifndef N
#define N 30
#endif
#define AT(m, i, j, ld) m[(i) + (j) * (ld)]
static void trsm(int n, int rhs, const float *l, int ldl, float *b, int ldb) {
    for (int j = 0; j < rhs; j++) {
        for (int k = 0; k < n; k++) {
            if (AT(l, k, k, ldl) == 0.0f) continue;
            AT(b, k, j, ldb) /= AT(l, k, k, ldl);
            for (int i = k + 1; i < n; i++) AT(b, i, j, ldb) -= AT(b, k, j, ldb) * AT(l, i, k, ldl);
        }
    }
}
int main(void) {
    int ld = N + 3;
    float *l = malloc(sizeof(float) * ld * N), *b = malloc(sizeof(float) * ld * N);
    for (int j = 0; j < N; j++)
        for (int i = 0; i < N; i++) {
            AT(l, i, j, ld) = i == j ? 2.0f : i > j ? 1.0f / (1 + i - j) : 0.0f;
            AT(b, i, j, ld) = (float)((i * 3 + j) % 11);
        }
    trsm(N, N, l, ld, b, ld);
    float sum = 0;
    for (int j = 0; j < N; j++) sum += AT(b, N - 1, j, ld);
    printf("trsm %d %.4f\n", N, sum);
    free(l);
    free(b);
    return 0;
}
