// Radix-2 FFT in place; sine and cosine of the C library. Control: fixed. Sizes: 256 2048 16384.
#include <math.h>
#include <stdio.h>
#ifndef N
#define N 2048
#endif
static double re[N], im[N];
int main(void) {
    for (int i = 0; i < N; i++) {
        re[i] = (i * 13) % 17 - 8;
        im[i] = 0;
    }
    for (int i = 1, j = 0; i < N; i++) {
        int bit = N >> 1;
        for (; j & bit; bit >>= 1) j ^= bit;
        j ^= bit;
        if (i < j) {
            double t = re[i];
            re[i] = re[j];
            re[j] = t;
        }
    }
    for (int len = 2; len <= N; len <<= 1) {
        double angle = -2 * 3.14159265358979323846 / len, wr = cos(angle), wi = sin(angle);
        for (int i = 0; i < N; i += len) {
            double cr = 1, ci = 0;
            for (int j = 0; j < len / 2; j++) {
                double ur = re[i + j], ui = im[i + j];
                double vr = re[i + j + len / 2] * cr - im[i + j + len / 2] * ci;
                double vi = re[i + j + len / 2] * ci + im[i + j + len / 2] * cr;
                re[i + j] = ur + vr;
                im[i + j] = ui + vi;
                re[i + j + len / 2] = ur - vr;
                im[i + j + len / 2] = ui - vi;
                double t = cr * wr - ci * wi;
                ci = cr * wi + ci * wr;
                cr = t;
            }
        }
    }
    printf("%f %f\n", re[1], im[1]);
    return 0;
}
