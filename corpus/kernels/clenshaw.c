// Chebyshev series by Clenshaw's recurrence at many points. Held out fourth. Control: fixed. Sizes: 40 400 4000.
#include <stdio.h>
#ifndef N
#define N 400
#endif
#define TERMS 24
static double c[TERMS];
static double series(double x) {
    double b1 = 0, b2 = 0;
    for (int k = TERMS - 1; k > 0; k--) {
        double b = 2 * x * b1 - b2 + c[k];
        b2 = b1;
        b1 = b;
    }
    return x * b1 - b2 + c[0];
}
int main(void) {
    for (int k = 0; k < TERMS; k++) c[k] = (k % 3 - 1) / (1.0 + k * k);
    double sum = 0, most = -1e300;
    for (int i = 0; i < N; i++) {
        double value = series(-1.0 + 2.0 * i / (N - 1));
        sum += value;
        if (value > most) most = value;
    }
    printf("%.9f %.9f\n", sum, most);
    return 0;
}
