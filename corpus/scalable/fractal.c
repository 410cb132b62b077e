// Mandelbrot set of n x n points. Growth: n^2, data. Runs: 8 16 24 32 48 > 500.
#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv) {
    if (argc < 2) return 2;
    long n = atol(argv[1]);
    long sum = 0;
    for (long i = 0; i < n; i++)
        for (long j = 0; j < n; j++) {
            double cr = 3.0 * j / n - 2, ci = 2.0 * i / n - 1, x = 0, y = 0;
            int steps = 0;
            while (steps < 200 && x * x + y * y < 4) {
                double t = x * x - y * y + cr;
                y = 2 * x * y + ci, x = t, steps++;
            }
            sum += steps;
        }
    printf("%ld\n", sum);
    return 0;
}
