// LU decomposition with forward and back substitution on the heap. Held out. Control: fixed. Sizes: 14 30 65.
#include <stdio.h>
#include <stdlib.h>
#ifndef N
#define N 30
#endif
static void init_array(int n, double *A, double *b, double *x, double *y) {
    double fn = (double)n;
    for (int i = 0; i < n; i++) {
        x[i] = 0;
        y[i] = 0;
        b[i] = (i + 1) / fn / 2.0 + 4;
    }
    for (int i = 0; i < n; i++) {
        for (int j = 0; j <= i; j++) A[i * n + j] = (double)(-j % n) / n + 1;
        for (int j = i + 1; j < n; j++) A[i * n + j] = 0;
        A[i * n + i] = n;
    }
}
static void kernel(int n, double *A, double *b, double *x, double *y) {
    double w;
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < i; j++) {
            w = A[i * n + j];
            for (int k = 0; k < j; k++) w -= A[i * n + k] * A[k * n + j];
            A[i * n + j] = w / A[j * n + j];
        }
        for (int j = i; j < n; j++) {
            w = A[i * n + j];
            for (int k = 0; k < i; k++) w -= A[i * n + k] * A[k * n + j];
            A[i * n + j] = w;
        }
    }
    for (int i = 0; i < n; i++) {
        w = b[i];
        for (int j = 0; j < i; j++) w -= A[i * n + j] * y[j];
        y[i] = w;
    }
    for (int i = n - 1; i >= 0; i--) {
        w = y[i];
        for (int j = i + 1; j < n; j++) w -= A[i * n + j] * x[j];
        x[i] = w / A[i * n + i];
    }
}
int main(int argc, char **argv) {
    int n = N;
    double *A = malloc(n * n * sizeof(double));
    double *b = malloc(n * sizeof(double)), *x = malloc(n * sizeof(double)), *y = malloc(n * sizeof(double));
    init_array(n, A, b, x, y);
    kernel(n, A, b, x, y);
    double s = 0;
    for (int i = 0; i < n; i++) s += x[i];
    printf("sum %0.2lf\n", s);
    free(A);
    free(b);
    free(x);
    free(y);
    return 0;
}
