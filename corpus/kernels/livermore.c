// A few of the Livermore loops. Held out. Control: fixed. Sizes: 64 512 4096.
#include <stdio.h>
#ifndef N
#define N 512
#endif
static double x[2 * N + 16], y[2 * N + 16], z[2 * N + 16], u[2 * N + 16], v[2 * N + 16];
int main(void) {
    double q = 0.5, r = 0.25, t = 0.125, total = 0;
    int i, k, l, ii, ipnt, ipntp, lw;
    for (k = 0; k < 2 * N + 16; k++) {
        x[k] = 0.01 * k; y[k] = 1.0 / (k + 1); z[k] = 0.5; u[k] = k % 3; v[k] = 0.001;
    }
    for (l = 1; l <= 5; l++) {
        for (k = 0; k < N; k++) x[k] = q + y[k] * (r * z[k + 10] + t * z[k + 11]);
        ii = N;
        ipntp = 0;
        do {
            ipnt = ipntp;
            ipntp += ii;
            ii /= 2;
            i = ipntp - 1;
            for (k = ipnt + 1; k < ipntp; k = k + 2) {
                i++;
                x[i] = x[k] - v[k] * x[k - 1] - v[k + 1] * x[k + 1];
            }
        } while (ii > 0);
        q = 0.0;
        for (k = 0; k < N; k++) q += z[k] * x[k];
        q = q > 1.0 ? 1.0 : q;
        for (k = 6; k < N; k = k + 5) {
            lw = k - 6;
            double temp = x[k - 1];
            for (i = 4; i < 40; i += 5) temp -= x[lw++ & (N - 1)] * y[i];
            x[k - 1] = y[4] * temp;
        }
        for (i = 1; i < N; i++) x[i] = z[i] * (y[i] - x[i - 1]);
        for (k = 0; k < N; k++)
            u[k] = u[k] + r * (z[k] + r * y[k]) + t * (u[k + 3] + r * (u[k + 2] + r * u[k + 1]));
        for (k = 1; k < N; k++) y[k] = y[k - 1] * 0.5 + z[k];
        for (k = 0; k < N; k++) z[k] = y[k + 1] - y[k];
    }
    for (k = 0; k < N; k++) total += x[k] + u[k];
    printf("%12.5e\n", total);
    return 0;
}
