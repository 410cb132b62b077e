// Romberg integration: halved steps and a triangle of extrapolations. Held out later. Control: fixed. Sizes: 7 10 13.
#include <math.h>
#include <stdio.h>
#ifndef N
#define N 10
#endif
static double f(double x) { return 1.0 / (1.0 + x * x) + sqrt(x) * x; }
int main(void) {
    double table[N + 1][N + 1];
    double a = 0, b = 2, h = b - a;
    table[0][0] = h / 2 * (f(a) + f(b));
    for (int i = 1; i <= N; i++) {
        h /= 2;
        double sum = 0;
        for (long k = 1; k < 1L << i; k += 2) sum += f(a + k * h);
        table[i][0] = table[i - 1][0] / 2 + h * sum;
        double power = 1;
        for (int j = 1; j <= i; j++) {
            power *= 4;
            table[i][j] = table[i][j - 1] + (table[i][j - 1] - table[i - 1][j - 1]) / (power - 1);
        }
    }
    printf("%.12f\n", table[N][N]);
    return 0;
}
