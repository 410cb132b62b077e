// Five-point relaxation of an n x n grid for m sweeps. Growth: n^2 m. Runs: 40,8 80,8 160,8 40,16 80,16 > 400,80.
#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv) {
    if (argc < 3) return 2;
    long n = atol(argv[1]), m = atol(argv[2]);
    double *a = calloc(n * n, sizeof *a), *b = calloc(n * n, sizeof *b);
    for (long i = 0; i < n; i++) a[i] = b[i] = i;
    for (long sweep = 0; sweep < m; sweep++) {
        for (long i = 1; i + 1 < n; i++)
            for (long j = 1; j + 1 < n; j++)
                b[i * n + j] = 0.2 * (a[i * n + j] + a[i * n + j - 1] + a[i * n + j + 1] + a[(i - 1) * n + j] + a[(i + 1) * n + j]);
        double *t = a;
        a = b;
        b = t;
    }
    printf("%.6f\n", a[n + 1]);
    return 0;
}
