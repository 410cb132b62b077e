// Dot product of two vectors. Growth: n. Runs: 10000 20000 30000 50000 80000 > 8000000.
#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv) {
    if (argc < 2) return 2;
    long n = atol(argv[1]);
    double *x = malloc(n * sizeof *x), *y = malloc(n * sizeof *y), sum = 0;
    for (long i = 0; i < n; i++) x[i] = i % 7, y[i] = i % 5;
    for (long i = 0; i < n; i++) sum += x[i] * y[i];
    printf("%.1f\n", sum);
    return 0;
}
