// Spectral norm of an infinite matrix's corner. Held out. Control: fixed. Sizes: 16 50 160.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#ifndef N
#define N 50
#endif
double eval_A(int i, int j) { return 1.0 / ((i + j) * (i + j + 1) / 2 + i + 1); }
void eval_A_times_u(int n, const double u[], double Au[]) {
    for (int i = 0; i < n; i++) {
        Au[i] = 0;
        for (int j = 0; j < n; j++) Au[i] += eval_A(i, j) * u[j];
    }
}
void eval_At_times_u(int n, const double u[], double Au[]) {
    for (int i = 0; i < n; i++) {
        Au[i] = 0;
        for (int j = 0; j < n; j++) Au[i] += eval_A(j, i) * u[j];
    }
}
void eval_AtA_times_u(int n, const double u[], double AtAu[]) {
    double v[N];
    eval_A_times_u(n, u, v);
    eval_At_times_u(n, v, AtAu);
}
int main(int argc, char *argv[]) {
    int i, n = N;
    double u[N], v[N], vBv = 0, vv = 0;
    for (i = 0; i < n; i++) u[i] = 1;
    for (i = 0; i < 10; i++) {
        eval_AtA_times_u(n, u, v);
        eval_AtA_times_u(n, v, u);
    }
    for (i = 0; i < n; i++) {
        vBv += u[i] * v[i];
        vv += v[i] * v[i];
    }
    printf("%0.9f\n", sqrt(vBv / vv));
    return 0;
}
