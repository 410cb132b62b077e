// Nearest of m centres for n points, ten rounds. Growth: n m. Runs: 1000,4 2000,4 4000,4 1000,8 2000,8 > 80000,24.
#include <stdio.h>
#include <stdlib.h>
static unsigned s = 12345;
static unsigned next_random(void) { return s = s * 1664525u + 1013904223u, s >> 8; }
int main(int argc, char **argv) {
    if (argc < 3) return 2;
    long n = atol(argv[1]), m = atol(argv[2]);
    double *x = malloc(n * sizeof *x), *c = malloc(m * sizeof *c), *sum = malloc(m * sizeof *sum);
    long *count = malloc(m * sizeof *count);
    for (long i = 0; i < n; i++) x[i] = next_random() % 10000;
    for (long k = 0; k < m; k++) c[k] = x[k];
    for (int round = 0; round < 10; round++) {
        for (long k = 0; k < m; k++) sum[k] = count[k] = 0;
        for (long i = 0; i < n; i++) {
            long best = 0;
            for (long k = 1; k < m; k++)
                if ((x[i] - c[k]) * (x[i] - c[k]) < (x[i] - c[best]) * (x[i] - c[best])) best = k;
            sum[best] += x[i], count[best]++;
        }
        for (long k = 0; k < m; k++)
            if (count[k]) c[k] = sum[k] / count[k];
    }
    printf("%.3f\n", c[0]);
    return 0;
}
