// Sparse matrix times vector in rows, repeated. Control: fixed. Sizes: 100 1000 10000.
#include <stdio.h>
#ifndef N
#define N 1000
#endif
static int start[N + 1], column[3 * N];
static double value[3 * N], x[N], y[N];
int main(void) {
    int k = 0;
    for (int i = 0; i < N; i++) {
        start[i] = k;
        for (int d = -1; d <= 1; d++)
            if (i + d >= 0 && i + d < N) {
                column[k] = i + d;
                value[k++] = d ? -1.0 : 2.0;
            }
        x[i] = i % 10;
    }
    start[N] = k;
    for (int t = 0; t < 10; t++) {
        for (int i = 0; i < N; i++) {
            double s = 0;
            for (int j = start[i]; j < start[i + 1]; j++) s += value[j] * x[column[j]];
            y[i] = s;
        }
        for (int i = 0; i < N; i++) x[i] = 0.25 * y[i];
    }
    printf("%f\n", x[N / 2]);
    return 0;
}
