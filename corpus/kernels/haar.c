// Haar wavelet transform, forward and back. Control: fixed. Sizes: 256 2048 16384.
#include <stdio.h>
#ifndef N
#define N 2048
#endif
static float v[N], t[N];
int main(void) {
    for (int i = 0; i < N; i++) v[i] = (float)((i * 37) % 101);
    for (int n = N; n > 1; n /= 2) {
        for (int i = 0; i < n / 2; i++) {
            t[i] = (v[2 * i] + v[2 * i + 1]) * 0.5f;
            t[n / 2 + i] = (v[2 * i] - v[2 * i + 1]) * 0.5f;
        }
        for (int i = 0; i < n; i++) v[i] = t[i];
    }
    for (int n = 2; n <= N; n *= 2) {
        for (int i = 0; i < n / 2; i++) {
            t[2 * i] = v[i] + v[n / 2 + i];
            t[2 * i + 1] = v[i] - v[n / 2 + i];
        }
        for (int i = 0; i < n; i++) v[i] = t[i];
    }
    printf("%.3f %.3f\n", (double)v[0], (double)v[N - 1]);
    return 0;
}
