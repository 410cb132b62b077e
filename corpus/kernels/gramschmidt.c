// QR decomposition by modified Gram-Schmidt. Control: fixed. Sizes: 10 32 100.
#include <math.h>
#include <stdio.h>
#ifndef N
#define N 32
#endif
static double a[N][N], r[N][N], q[N][N];
int main(void) {
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) a[i][j] = ((double)((i * j) % N) / N) * 100 + 10 + (i == j ? 50 : 0);
    for (int k = 0; k < N; k++) {
        double nrm = 0.0;
        for (int i = 0; i < N; i++) nrm += a[i][k] * a[i][k];
        r[k][k] = sqrt(nrm);
        for (int i = 0; i < N; i++) q[i][k] = a[i][k] / r[k][k];
        for (int j = k + 1; j < N; j++) {
            r[k][j] = 0.0;
            for (int i = 0; i < N; i++) r[k][j] += q[i][k] * a[i][j];
            for (int i = 0; i < N; i++) a[i][j] = a[i][j] - q[i][k] * r[k][j];
        }
    }
    printf("%f %f\n", r[0][0], r[N - 1][N - 1]);
    return 0;
}
