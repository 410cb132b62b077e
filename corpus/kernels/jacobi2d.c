// 2-d Jacobi stencil. Control: fixed. Sizes: 20 60 180.
#include <stdio.h>
#ifndef N
#define N 60
#endif
static double a[N][N], b[N][N];
static void step(double (*to)[N], double (*from)[N]) {
    for (int i = 1; i < N - 1; i++)
        for (int j = 1; j < N - 1; j++)
            to[i][j] = 0.2 * (from[i][j] + from[i][j - 1] + from[i][1 + j] + from[1 + i][j] + from[i - 1][j]);
}
int main(void) {
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            a[i][j] = ((double)i * (j + 2) + 2) / N;
            b[i][j] = ((double)i * (j + 3) + 3) / N;
        }
    for (int t = 0; t < 20; t++) {
        step(b, a);
        step(a, b);
    }
    printf("%f\n", a[N / 2][N / 3]);
    return 0;
}
