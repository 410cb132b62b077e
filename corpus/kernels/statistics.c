// Mean, deviation and correlation of two series, ten times over. Held out. Control: fixed. Sizes: 100 1000 10000.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#ifndef N
#define N 1000
#endif
static int seed;
static double a[N], b[N], sum_a, sum_b, coefficient;
static int random_integer(void) { return seed = (seed * 133 + 81) % 8095; }
static void initialise(double array[]) {
    for (int i = 0; i < N; i++) array[i] = i + random_integer() / 8095.0;
}
static void mean(const double array[], double *sum, double *m) {
    *sum = 0;
    for (int i = 0; i < N; i++) *sum += array[i];
    *m = *sum / N;
}
static void deviation(const double array[], double m, double *var, double *dev) {
    double d = 0;
    for (int i = 0; i < N; i++) d += (array[i] - m) * (array[i] - m);
    *var = d / N;
    *dev = sqrt(*var);
}
static void correlate(const double x[], const double y[], double mx, double my, double *c) {
    double n = 0, xs = 0, ys = 0;
    for (int i = 0; i < N; i++) {
        n += (x[i] - mx) * (y[i] - my);
        xs += (x[i] - mx) * (x[i] - mx);
        ys += (y[i] - my) * (y[i] - my);
    }
    *c = n / (sqrt(xs) * sqrt(ys));
}
int main(void) {
    double ma, mb, va, vb, da, db;
    for (int round = 0; round < 10; round++) {
        seed = 0;
        initialise(a);
        mean(a, &sum_a, &ma);
        deviation(a, ma, &va, &da);
        initialise(b);
        mean(b, &sum_b, &mb);
        deviation(b, mb, &vb, &db);
        correlate(a, b, ma, mb, &coefficient);
    }
    printf("%f %f %f\n", da, db, coefficient);
    return 0;
}
