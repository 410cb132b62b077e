// One-dimensional wave with three buffers in turn. Held out. Control: fixed. Sizes: 40 126 400.
#include <stdio.h>
#include <stdlib.h>
#ifndef N
#define N 126
#endif
static void step(const float *prev, const float *cur, float *next, int n, float c2) {
    for (int i = 1; i < n - 1; i++) next[i] = 2.0f * cur[i] - prev[i] + c2 * (cur[i - 1] - 2.0f * cur[i] + cur[i + 1]);
    next[0] = 0.0f;
    next[n - 1] = 0.0f;
}
int main(void) {
    float *a = calloc(N, sizeof *a), *b = calloc(N, sizeof *b), *c = calloc(N, sizeof *c);
    for (int i = 0; i < N; i++) a[i] = b[i] = (i > N / 4 && i < N / 2) ? 1.0f : 0.0f;
    for (int t = 0; t < 2 * N; t++) {
        step(a, b, c, N, 0.25f);
        float *swap = a;
        a = b;
        b = c;
        c = swap;
    }
    float energy = 0;
    for (int i = 0; i < N; i++) energy += b[i] * b[i];
    printf("energy = %f\n", energy);
    free(a); free(b); free(c);
    return 0;
}
