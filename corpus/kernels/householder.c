// QR decomposition by Householder reflections, then back substitution. Held out third. Control: fixed. Sizes: 14 32 72.
#include <math.h>
#include <stdio.h>
#ifndef N
#define N 32
#endif
#define ROWS (N + N / 2)
static double a[ROWS][N], b[ROWS], x[N];
int main(void) {
    for (int i = 0; i < ROWS; i++) {
        b[i] = i % 5 - 1.5;
        for (int j = 0; j < N; j++) a[i][j] = (i == j ? N : 0) + (double)((i * 13 + j * 7) % 17) / 17;
    }
    for (int k = 0; k < N; k++) {
        double norm = 0;
        for (int i = k; i < ROWS; i++) norm += a[i][k] * a[i][k];
        double alpha = -copysign(sqrt(norm), a[k][k]), v[ROWS];
        for (int i = k; i < ROWS; i++) v[i] = a[i][k];
        v[k] -= alpha;
        double length = 0;
        for (int i = k; i < ROWS; i++) length += v[i] * v[i];
        for (int j = k; j < N; j++) {
            double dot = 0;
            for (int i = k; i < ROWS; i++) dot += v[i] * a[i][j];
            dot *= 2 / length;
            for (int i = k; i < ROWS; i++) a[i][j] -= dot * v[i];
        }
        double dot = 0;
        for (int i = k; i < ROWS; i++) dot += v[i] * b[i];
        dot *= 2 / length;
        for (int i = k; i < ROWS; i++) b[i] -= dot * v[i];
    }
    for (int i = N - 1; i >= 0; i--) {
        double sum = b[i];
        for (int j = i + 1; j < N; j++) sum -= a[i][j] * x[j];
        x[i] = sum / a[i][i];
    }
    double sum = 0;
    for (int i = 0; i < N; i++) sum += x[i];
    printf("%.9f\n", sum);
    return 0;
}
