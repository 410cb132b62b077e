// LU decomposition. Growth: n^3 / 3. Runs: 12 24 32 48 64 > 320.
#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv) {
    if (argc < 2) return 2;
    long n = atol(argv[1]);
    double *a = malloc(n * n * sizeof *a);
    for (long i = 0; i < n; i++)
        for (long j = 0; j < n; j++) a[i * n + j] = i == j ? n : (i * j) % 5;
    for (long k = 0; k < n; k++)
        for (long i = k + 1; i < n; i++) {
            double f = a[i * n + k] /= a[k * n + k];
            for (long j = k + 1; j < n; j++) a[i * n + j] -= f * a[k * n + j];
        }
    printf("%.6f\n", a[n * n - 1]);
    return 0;
}
