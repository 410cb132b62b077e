// Symmetric matrix times matrix, half of it stored. Held out later. Control: fixed. Sizes: 14 30 65.
#include <stdio.h>
#ifndef N
#define N 30
#endif
static double a[N][N], b[N][N], c[N][N];
static void symm(double alpha, double beta) {
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            double sum = 0;
            for (int k = 0; k < i; k++) {
                c[k][j] += alpha * b[i][j] * a[i][k];
                sum += b[k][j] * a[i][k];
            }
            c[i][j] = beta * c[i][j] + alpha * b[i][j] * a[i][i] + alpha * sum;
        }
}
int main(void) {
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            a[i][j] = ((i + j) % 100) / (double)N;
            b[i][j] = ((N + i - j) % 100) / (double)N;
            c[i][j] = (i * j % 7) / 7.0;
        }
    symm(1.5, 1.2);
    double trace = 0;
    for (int i = 0; i < N; i++) trace += c[i][i];
    printf("symm %d %.6f\n", N, trace);
    return 0;
}
