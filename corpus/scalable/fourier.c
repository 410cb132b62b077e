// Fourier transform, radix two. Growth: n log n. Runs: 256 512 1024 2048 4096 > 262144.
#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv) {
    if (argc < 2) return 2;
    long n = atol(argv[1]);
    double *re = malloc(n * sizeof *re), *im = calloc(n, sizeof *im);
    for (long i = 0; i < n; i++) re[i] = i % 17;
    for (long i = 1, j = 0; i < n; i++) {
        long bit = n >> 1;
        for (; j & bit; bit >>= 1) j ^= bit;
        j ^= bit;
        if (i < j) { double t = re[i]; re[i] = re[j]; re[j] = t; }
    }
    for (long length = 2; length <= n; length <<= 1)
        for (long i = 0; i < n; i += length) {
            double wr = 1, wi = 0, cr = 1 - 2.0 / length, ci = 3.0 / length;
            for (long j = 0; j < length / 2; j++) {
                long p = i + j, q = p + length / 2;
                double tr = re[q] * wr - im[q] * wi, ti = re[q] * wi + im[q] * wr, w = wr;
                re[q] = re[p] - tr, im[q] = im[p] - ti, re[p] += tr, im[p] += ti;
                wr = w * cr - wi * ci, wi = w * ci + wi * cr;
            }
        }
    printf("%.3f\n", re[1]);
    return 0;
}
