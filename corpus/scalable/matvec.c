// Matrix times vector. Growth: n^2. Runs: 40 80 120 160 240 > 2560.
#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv) {
    if (argc < 2) return 2;
    long n = atol(argv[1]);
    double *a = malloc(n * n * sizeof *a), *x = malloc(n * sizeof *x), sum = 0;
    for (long i = 0; i < n * n; i++) a[i] = i % 9;
    for (long i = 0; i < n; i++) x[i] = i % 4;
    for (long i = 0; i < n; i++)
        for (long j = 0; j < n; j++) sum += a[i * n + j] * x[j];
    printf("%.1f\n", sum);
    return 0;
}
