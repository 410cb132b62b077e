// The product of two N x N matrices of doubles; N is a constant of the code, so every trip count can be known.
#include <stdio.h>

#ifndef N
#define N 64
#endif

static double a[N][N], b[N][N], c[N][N];

int main(void) {
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            a[i][j] = (double)((i * 7 + j * 3) % 11) - 5.0;
            b[i][j] = (double)((i * 5 + j * 2) % 13) - 6.0;
        }
    for (int i = 0; i < N; i++)
        for (int k = 0; k < N; k++) {
            double factor = a[i][k];
            for (int j = 0; j < N; j++) c[i][j] += factor * b[k][j];
        }
    double trace = 0.0, total = 0.0;
    for (int i = 0; i < N; i++) {
        trace += c[i][i];
        for (int j = 0; j < N; j++) total += c[i][j];
    }
    printf("n %d trace %.1f total %.1f\n", N, trace, total);
    return 0;
}
