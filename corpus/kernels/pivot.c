// Gaussian elimination with row exchange. Held out. Control: data. Sizes: 14 30 65.
#include <math.h>
#include <stdio.h>
#ifndef N
#define N 30
#endif
static double a[N][N + 1], x[N];
int main(void) {
    unsigned s = 42;
    for (int i = 0; i < N; i++)
        for (int j = 0; j <= N; j++) {
            s = s * 1103515245 + 12345;
            a[i][j] = (double)(s >> 16 & 0x7fff) / 32768.0;
        }
    for (int c = 0; c < N; c++) {
        int p = c;
        for (int r = c + 1; r < N; r++)
            if (fabs(a[r][c]) > fabs(a[p][c])) p = r;
        if (p != c)
            for (int j = c; j <= N; j++) {
                double t = a[c][j];
                a[c][j] = a[p][j];
                a[p][j] = t;
            }
        for (int r = c + 1; r < N; r++) {
            double f = a[r][c] / a[c][c];
            for (int j = c; j <= N; j++) a[r][j] -= f * a[c][j];
        }
    }
    for (int i = N - 1; i >= 0; i--) {
        double sum = a[i][N];
        for (int j = i + 1; j < N; j++) sum -= a[i][j] * x[j];
        x[i] = sum / a[i][i];
    }
    printf("%.6f %.6f\n", x[0], x[N - 1]);
    return 0;
}
