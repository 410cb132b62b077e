// Recursive Fourier transform on structures, scratch from the heap. Held out. Control: fixed. Sizes: 64 512 4096.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#ifndef N
#define N 512
#endif
typedef struct { double re, im; } cplx;
static void fft(cplx *x, int n) {
    if (n < 2) return;
    cplx *e = malloc(n / 2 * sizeof(cplx)), *o = malloc(n / 2 * sizeof(cplx));
    for (int i = 0; i < n / 2; i++) {
        e[i] = x[2 * i];
        o[i] = x[2 * i + 1];
    }
    fft(e, n / 2);
    fft(o, n / 2);
    double wr = cos(2 * 3.14159265358979 / n), wi = -sin(2 * 3.14159265358979 / n), cr = 1, ci = 0;
    for (int k = 0; k < n / 2; k++) {
        double tr = cr * o[k].re - ci * o[k].im, ti = cr * o[k].im + ci * o[k].re;
        x[k].re = e[k].re + tr;
        x[k].im = e[k].im + ti;
        x[k + n / 2].re = e[k].re - tr;
        x[k + n / 2].im = e[k].im - ti;
        double nr = cr * wr - ci * wi;
        ci = cr * wi + ci * wr;
        cr = nr;
    }
    free(e);
    free(o);
}
int main(void) {
    static cplx x[N];
    for (int i = 0; i < N; i++) {
        x[i].re = (i % 8) - 3.5;
        x[i].im = 0;
    }
    fft(x, N);
    printf("%.4f %.4f\n", x[1].re, x[N / 8].im);
    return 0;
}
