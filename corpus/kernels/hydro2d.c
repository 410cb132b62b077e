// Explicit hydrodynamics fragments on two-dimensional fields. Held out. Control: fixed. Sizes: 16 50 160.
#include <stdio.h>
#ifndef N
#define N 50
#endif
typedef double field[N + 1][N + 1];
static field za, zb, zm, zp, zq, zr, zu, zv, zz;
int main(void) {
    int j, k, t;
    const double s = 0.0053, dt = 0.0037;
    for (k = 0; k <= N; k++)
        for (j = 0; j <= N; j++) {
            zp[k][j] = 0.1 * (k + j); zq[k][j] = 0.2 * k; zr[k][j] = 1.0 + 0.01 * j; zm[k][j] = 1.5;
            zz[k][j] = 0.3 * j; zu[k][j] = zv[k][j] = 0;
        }
    for (t = 0; t < 5; t++) {
        for (k = 1; k < N; k++)
            for (j = 1; j < N; j++) {
                za[k][j] = (zp[k + 1][j - 1] + zq[k + 1][j - 1] - zp[k][j - 1] - zq[k][j - 1]) *
                           (zr[k][j] + zr[k][j - 1]) / (zm[k][j - 1] + zm[k + 1][j - 1]);
                zb[k][j] = (zp[k][j - 1] + zq[k][j - 1] - zp[k][j] - zq[k][j]) * (zr[k][j] + zr[k - 1][j]) /
                           (zm[k][j] + zm[k][j - 1]);
            }
        for (k = 1; k < N; k++)
            for (j = 1; j < N; j++) {
                zu[k][j] += s * (za[k][j] * (zz[k][j] - zz[k][j + 1]) - zb[k][j] * (zz[k][j] - zz[k - 1][j]));
                zv[k][j] += s * (zb[k][j] * (zr[k][j] - zr[k + 1][j]));
            }
        for (k = 1; k < N; k++)
            for (j = 1; j < N; j++) {
                zr[k][j] += dt * zu[k][j];
                zz[k][j] += dt * zv[k][j];
            }
    }
    double total = 0;
    for (k = 1; k < N; k++)
        for (j = 1; j < N; j++) total += zr[k][j] + zz[k][j];
    printf("%.6f\n", total);
    return 0;
}
