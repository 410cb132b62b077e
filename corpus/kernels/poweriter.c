// Power iteration on a symmetric matrix. Held out. Control: fixed. Sizes: 16 50 160.
#include <math.h>
#include <stdio.h>
#ifndef N
#define N 50
#endif
static double m[N][N], v[N], w[N];
static double norm(const double *p, int n) {
    double s = 0;
    while (n--) { s += *p * *p; p++; }
    return sqrt(s);
}
int main(void) {
    double lambda = 0;
    for (int i = 0; i < N; i++) {
        v[i] = 1;
        for (int j = i; j < N; j++) m[i][j] = m[j][i] = 1.0 / (i + j + 1);
    }
    int round = 0;
    do {
        for (int i = 0; i < N; i++) {
            w[i] = 0;
            for (int j = 0; j < N; j++) w[i] += m[i][j] * v[j];
        }
        lambda = norm(w, N);
        for (int i = 0; i < N; i++) v[i] = w[i] / lambda;
    } while (++round < 30);
    printf("largest eigenvalue %.12f after %d\n", lambda, round);
    return 0;
}
