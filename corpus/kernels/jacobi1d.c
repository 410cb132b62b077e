// 1-d Jacobi stencil over time steps. Control: fixed. Sizes: 60 200 600.
#include <stdio.h>
#ifndef N
#define N 200
#endif
#define STEPS (N / 4)
static double a[N], b[N];
int main(void) {
    for (int i = 0; i < N; i++) {
        a[i] = ((double)i + 2) / N;
        b[i] = ((double)i + 3) / N;
    }
    for (int t = 0; t < STEPS; t++) {
        for (int i = 1; i < N - 1; i++) b[i] = 0.33333 * (a[i - 1] + a[i] + a[i + 1]);
        for (int i = 1; i < N - 1; i++) a[i] = 0.33333 * (b[i - 1] + b[i] + b[i + 1]);
    }
    printf("%f %f\n", a[N / 2], b[1]);
    return 0;
}
