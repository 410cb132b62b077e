// LU decomposition and solution of a banded system. Held out fourth. Control: fixed. Sizes: 60 500 4000.
#include <stdio.h>
#ifndef N
#define N 500
#endif
#define B 6
static double a[N][2 * B + 1], x[N];
static int least(int p, int q) { return p < q ? p : q; }
int main(void) {
    for (int i = 0; i < N; i++) {
        for (int j = 0; j <= 2 * B; j++) a[i][j] = 1.0 / (1 + (i * 7 + j * 3) % 11);
        a[i][B] = 20.0;
        x[i] = i % 13;
    }
    for (int k = 0; k < N; k++)
        for (int i = k + 1; i <= least(k + B, N - 1); i++) {
            double factor = a[i][k - i + B] /= a[k][B];
            for (int j = k + 1; j <= least(k + B, N - 1); j++) a[i][j - i + B] -= factor * a[k][j - k + B];
        }
    for (int i = 0; i < N; i++)
        for (int j = i - B < 0 ? 0 : i - B; j < i; j++) x[i] -= a[i][j - i + B] * x[j];
    for (int i = N - 1; i >= 0; i--) {
        for (int j = i + 1; j <= least(i + B, N - 1); j++) x[i] -= a[i][j - i + B] * x[j];
        x[i] /= a[i][B];
    }
    printf("%.9f\n", x[0] + x[N / 2] + x[N - 1]);
    return 0;
}
