// 2-d Gauss-Seidel stencil, in place. Control: fixed. Sizes: 20 60 180.
#include <stdio.h>
#ifndef N
#define N 60
#endif
static double a[N][N];
int main(void) {
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) a[i][j] = ((double)i * (j + 2) + 2) / N;
    for (int t = 0; t <= 10 - 1; t++)
        for (int i = 1; i <= N - 2; i++)
            for (int j = 1; j <= N - 2; j++)
                a[i][j] = (a[i - 1][j - 1] + a[i - 1][j] + a[i - 1][j + 1] + a[i][j - 1] + a[i][j] + a[i][j + 1] +
                           a[i + 1][j - 1] + a[i + 1][j] + a[i + 1][j + 1]) / 9.0;
    printf("%f\n", a[N / 2][N / 2]);
    return 0;
}
