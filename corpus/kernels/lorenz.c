// Runge and Kutta's method on Lorenz' system. Held out. Control: fixed. Sizes: 100 1000 10000.
#include <stdio.h>
#ifndef N
#define N 1000
#endif
enum { DIM = 3 };
typedef void (*system_fn)(double t, const double *y, double *dy);
static void lorenz(double t, const double *y, double *dy) {
    dy[0] = 10.0 * (y[1] - y[0]);
    dy[1] = y[0] * (28.0 - y[2]) - y[1];
    dy[2] = y[0] * y[1] - 8.0 / 3.0 * y[2];
}
static void rk4(system_fn f, double t, double h, double *y) {
    double k1[DIM], k2[DIM], k3[DIM], k4[DIM], s[DIM];
    f(t, y, k1);
    for (int i = 0; i < DIM; i++) s[i] = y[i] + 0.5 * h * k1[i];
    f(t + 0.5 * h, s, k2);
    for (int i = 0; i < DIM; i++) s[i] = y[i] + 0.5 * h * k2[i];
    f(t + 0.5 * h, s, k3);
    for (int i = 0; i < DIM; i++) s[i] = y[i] + h * k3[i];
    f(t + h, s, k4);
    for (int i = 0; i < DIM; i++) y[i] += h / 6.0 * (k1[i] + 2 * k2[i] + 2 * k3[i] + k4[i]);
}
int main(void) {
    double y[DIM] = {1.0, 1.0, 1.0};
    int step;
    for (step = 0; step < N; step++) rk4(lorenz, step * 0.005, 0.005, y);
    printf("t=%d: %f %f %f\n", step, y[0], y[1], y[2]);
    return 0;
}
