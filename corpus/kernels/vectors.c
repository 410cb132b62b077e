// Signal processing on short integers: products, correlations, lattice. Held out. Control: fixed. Sizes: 50 160 500.
#include <stdio.h>
#ifndef N
#define N 160
#endif
static short x[2 * N], y[2 * N];
static int r[N];
static void vec_mpy(short *restrict p, const short *restrict q, short scale) {
    for (int i = 0; i < N; i++) p[i] += (scale * q[i]) >> 15;
}
static long mac(const short *a, const short *b, long sqr, long *sum) {
    for (int i = 0; i < N; i++) {
        *sum += (long)b[i] * a[i];
        sqr += (long)b[i] * b[i];
    }
    return sqr;
}
static void autocorrelate(const short *in, int *out) {
    for (int lag = 0; lag < N; lag++) {
        int acc = 0;
        for (int i = 0; i + lag < N; i++) acc += in[i] * in[i + lag];
        out[lag] = acc >> 4;
    }
}
static int lattice(int n, short *b, const short *k, int f) {
    f -= b[n - 1] * k[n - 1];
    for (int i = n - 2; i >= 0; i--) {
        f -= b[i] * k[i];
        b[i + 1] = b[i] + ((k[i] * (f >> 16)) >> 16);
    }
    b[0] = f >> 16;
    return f;
}
int main(void) {
    long sum = 0, sqr = 0;
    int f = 1;
    for (int i = 0; i < 2 * N; i++) { x[i] = i * 31 % 201 - 100; y[i] = i * 17 % 101 - 50; }
    for (int t = 0; t < 6; t++) {
        vec_mpy(x, y, 3000);
        sqr += mac(x, y, sqr & 255, &sum);
        autocorrelate(x, r);
        f = lattice(N, x, y, f + r[t]);
    }
    printf("%ld %ld %d %d\n", sum, sqr, r[1], f);
    return 0;
}
