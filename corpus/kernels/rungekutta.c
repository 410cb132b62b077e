// Fourth-order Runge-Kutta steps of systems chosen by pointer. Held out fourth. Control: fixed. Sizes: 60 600 6000.
#include <stdio.h>
#ifndef N
#define N 600
#endif
#define D 4
typedef void (*system_t)(const double *, double *);
static void spring(const double *y, double *d) {
    d[0] = y[1];
    d[1] = -y[0] - 0.1 * y[1] + 0.2 * y[2];
    d[2] = y[3];
    d[3] = -2.0 * y[2] + 0.1 * y[0];
}
static void prey(const double *y, double *d) {
    d[0] = y[0] * (0.9 - 0.3 * y[1]);
    d[1] = y[1] * (0.2 * y[0] - 0.5);
    d[2] = y[2] * (0.4 - 0.1 * y[3]);
    d[3] = y[3] * (0.1 * y[2] - 0.2);
}
static system_t systems[2] = {spring, prey};
static void step(system_t system, double *y, double h) {
    double k[4][D], at[D];
    system(y, k[0]);
    for (int stage = 1; stage < 4; stage++) {
        double part = stage == 3 ? h : h / 2;
        for (int i = 0; i < D; i++) at[i] = y[i] + part * k[stage - 1][i];
        system(at, k[stage]);
    }
    for (int i = 0; i < D; i++) y[i] += h / 6 * (k[0][i] + 2 * k[1][i] + 2 * k[2][i] + k[3][i]);
}
int main(void) {
    double y[2][D] = {{1, 0, 0.5, 0}, {2, 1, 1, 2}};
    for (int t = 0; t < N; t++)
        for (int which = 0; which < 2; which++) step(systems[which], y[which], 0.01);
    printf("%.9f %.9f\n", y[0][0], y[1][1]);
    return 0;
}
