// Matrix product. Growth: n^3. Runs: 12 24 32 48 56 > 280.
#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv) {
    if (argc < 2) return 2;
    long n = atol(argv[1]);
    double *a = malloc(n * n * sizeof *a), *c = calloc(n * n, sizeof *c);
    for (long i = 0; i < n * n; i++) a[i] = i % 9;
    for (long i = 0; i < n; i++)
        for (long k = 0; k < n; k++)
            for (long j = 0; j < n; j++) c[i * n + j] += a[i * n + k] * a[k * n + j];
    printf("%.1f\n", c[n + 1]);
    return 0;
}
