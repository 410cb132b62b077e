// Polynomials evaluated at many points. Control: fixed. Sizes: 100 1000 10000.
#include <stdio.h>
#ifndef N
#define N 1000
#endif
#define DEGREE 17
int main(void) {
    double c[DEGREE + 1], total = 0, least = 1e300;
    for (int i = 0; i <= DEGREE; i++) c[i] = 1.0 / (i + 1);
    for (int i = 0; i < N; i++) {
        double x = (double)i / N, p = 0;
        for (int k = DEGREE; k >= 0; k--) p = p * x + c[k];
        total += p;
        if (p < least) least = p;
    }
    printf("%.6f %.6f\n", total, least);
    return 0;
}
