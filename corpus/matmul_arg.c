// The product of two n x n matrices of doubles; n is the first argument, so the trip counts depend on the input.
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
    int n = argc > 1 ? atoi(argv[1]) : 64;
    if (n <= 0 || n > 4096) {
        fprintf(stderr, "matmul_arg: n must lie between 1 and 4096\n");
        return 2;
    }
    size_t cells = (size_t)n * (size_t)n;
    double *a = malloc(cells * sizeof *a), *b = malloc(cells * sizeof *b), *c = calloc(cells, sizeof *c);
    if (!a || !b || !c) return 3;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            a[(size_t)i * n + j] = (double)((i * 7 + j * 3) % 11) - 5.0;
            b[(size_t)i * n + j] = (double)((i * 5 + j * 2) % 13) - 6.0;
        }
    for (int i = 0; i < n; i++)
        for (int k = 0; k < n; k++) {
            double factor = a[(size_t)i * n + k];
            for (int j = 0; j < n; j++) c[(size_t)i * n + j] += factor * b[(size_t)k * n + j];
        }
    double trace = 0.0;
    for (int i = 0; i < n; i++) trace += c[(size_t)i * n + i];
    printf("n %d trace %.1f\n", n, trace);
    return 0;
}
