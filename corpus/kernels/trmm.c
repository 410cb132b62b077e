// Triangular matrix product in place. Control: fixed. Sizes: 12 40 120.
#include <stdio.h>
#ifndef N
#define N 40
#endif
static double a[N][N], b[N][N];
int main(void) {
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            a[i][j] = (double)((i + j) % N) / N;
            b[i][j] = (double)((N + (i - j)) % N) / N;
        }
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            for (int k = i + 1; k < N; k++) b[i][j] += a[k][i] * b[k][j];
            b[i][j] = 1.5 * b[i][j];
        }
    printf("%f\n", b[1][2]);
    return 0;
}
