// Toeplitz system solver (Levinson and Durbin). Control: fixed. Sizes: 40 130 400.
#include <stdio.h>
#ifndef N
#define N 130
#endif
static double r[N], y[N], z[N];
int main(void) {
    for (int i = 0; i < N; i++) r[i] = 1.0 / (N + 1 - i);
    y[0] = -r[0];
    double beta = 1.0, alpha = -r[0];
    for (int k = 1; k < N; k++) {
        beta = (1 - alpha * alpha) * beta;
        double sum = 0.0;
        for (int i = 0; i < k; i++) sum += r[k - i - 1] * y[i];
        alpha = -(r[k] + sum) / beta;
        for (int i = 0; i < k; i++) z[i] = y[i] + alpha * y[k - i - 1];
        for (int i = 0; i < k; i++) y[i] = z[i];
        y[k] = alpha;
    }
    printf("%e\n", y[N - 1]);
    return 0;
}
