// Advection on a torus by the upwind scheme, buffers swapped. Held out later. Control: fixed. Sizes: 16 36 78.
#include <stdio.h>
#include <string.h>
#ifndef N
#define N 36
#endif
static double now[N * N], next[N * N];
static void step(const double *from, double *to, double u, double v) {
    for (int y = 0; y < N; y++) {
        int above = (y + N - 1) % N;
        for (int x = 0; x < N; x++) {
            int left = (x + N - 1) % N;
            double here = from[y * N + x];
            to[y * N + x] = here - u * (here - from[y * N + left]) - v * (here - from[above * N + x]);
        }
    }
}
int main(void) {
    for (int y = 0; y < N; y++)
        for (int x = 0; x < N; x++) now[y * N + x] = x > N / 4 && x < N / 2 && y > N / 4 && y < N / 2 ? 1 : 0;
    double *a = now, *b = next;
    for (int t = 0; t < N; t++) {
        step(a, b, 0.3, 0.2);
        double *c = a;
        a = b;
        b = c;
    }
    double mass = 0;
    for (int i = 0; i < N * N; i++) mass += a[i];
    printf("mass %.6f\n", mass);
    return 0;
}
