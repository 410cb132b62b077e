// Gravity among n bodies for m steps. Growth: n^2 m. Runs: 40,5 80,5 160,5 40,10 80,10 > 400,60.
#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv) {
    if (argc < 3) return 2;
    long n = atol(argv[1]), m = atol(argv[2]);
    double *x = malloc(n * sizeof *x), *v = calloc(n, sizeof *v);
    for (long i = 0; i < n; i++) x[i] = i;
    for (long step = 0; step < m; step++) {
        for (long i = 0; i < n; i++)
            for (long j = 0; j < n; j++) {
                double d = x[j] - x[i];
                v[i] += d / (d * d * d * d + 1.0) * 0.001;
            }
        for (long i = 0; i < n; i++) x[i] += v[i] * 0.001;
    }
    printf("%.6f\n", x[0]);
    return 0;
}
