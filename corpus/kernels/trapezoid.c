// Integrals by function pointer, the variable stepped in floating point. Held out. Control: fixed. Sizes: 200 2000 20000.
#include <math.h>
#include <stdio.h>
#ifndef N
#define N 2000
#endif
typedef double (*function)(double);
static double square(double x) { return x * x; }
static double rational(double x) { return 4.0 / (1.0 + x * x); }
static double root(double x) { return sqrt(1.0 + x); }
static double trapezoid(function f, double a, double b, int n) {
    double h = (b - a) / n, s = 0.5 * (f(a) + f(b));
    for (int i = 1; i < n; i++) s += f(a + i * h);
    return s * h;
}
static double simpson(function f, double a, double b, int n) {
    double h = (b - a) / n, odd = 0, even = 0;
    for (int i = 1; i < n; i += 2) odd += f(a + i * h);
    for (int i = 2; i < n; i += 2) even += f(a + i * h);
    return h / 3 * (f(a) + f(b) + 4 * odd + 2 * even);
}
int main(void) {
    function f[] = {square, rational, root};
    for (int i = 0; i < 3; i++) printf("%.6f %.6f\n", trapezoid(f[i], 0, 1, N), simpson(f[i], 0, 1, N));
    double s = 0;
    for (double x = 0.5 / N; x < 1.0; x += 1.0 / N) s += x * (1 - x) / N;
    printf("%.6f\n", s);
    return 0;
}
