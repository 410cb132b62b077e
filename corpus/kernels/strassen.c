// Matrix product in tiles with tile edges cut off. Control: fixed. Sizes: 20 60 150.
#include <stdio.h>
#ifndef N
#define N 60
#endif
#define T 16
#define MIN(a, b) ((a) < (b) ? (a) : (b))
static float a[N][N], b[N][N], c[N][N];
int main(void) {
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            a[i][j] = (float)(i - j);
            b[i][j] = (float)(i + j);
        }
    for (int ii = 0; ii < N; ii += T)
        for (int jj = 0; jj < N; jj += T)
            for (int kk = 0; kk < N; kk += T)
                for (int i = ii; i < MIN(ii + T, N); i++)
                    for (int j = jj; j < MIN(jj + T, N); j++) {
                        float s = c[i][j];
                        for (int k = kk; k < MIN(kk + T, N); k++) s += a[i][k] * b[k][j];
                        c[i][j] = s;
                    }
    printf("%g\n", (double)c[N / 2][N / 3]);
    return 0;
}
