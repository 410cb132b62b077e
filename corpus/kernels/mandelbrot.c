// Mandelbrot set. Control: data. Sizes: 20 60 180.
#include <stdio.h>
#ifndef N
#define N 60
#endif
int main(void) {
    long total = 0;
    for (int y = 0; y < N; y++)
        for (int x = 0; x < N; x++) {
            double cr = 3.0 * x / N - 2.0, ci = 2.0 * y / N - 1.0, zr = 0, zi = 0;
            int k = 0;
            while (k < 100 && zr * zr + zi * zi < 4.0) {
                double t = zr * zr - zi * zi + cr;
                zi = 2 * zr * zi + ci;
                zr = t;
                k++;
            }
            total += k;
        }
    printf("%ld\n", total);
    return 0;
}
