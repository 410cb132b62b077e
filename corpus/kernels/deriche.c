// Deriche edge filter, recursive in both directions. Control: fixed. Sizes: 20 60 180.
#include <math.h>
#include <stdio.h>
#ifndef N
#define N 60
#endif
static float in[N][N], out[N][N], fwd[N][N], rev[N][N];
int main(void) {
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) in[i][j] = (float)((313 * i + 991 * j) % 65536) / 65535.0f;
    float alpha = 0.25f, k = (1.0f - expf(-alpha)) * (1.0f - expf(-alpha)) / (1.0f + 2.0f * alpha * expf(-alpha) - expf(2.0f * alpha));
    float a1 = k, a2 = k * expf(-alpha) * (alpha - 1.0f), b1 = powf(2.0f, -alpha), b2 = -expf(-2.0f * alpha);
    for (int i = 0; i < N; i++) {
        float ym1 = 0, ym2 = 0, xm1 = 0;
        for (int j = 0; j < N; j++) {
            fwd[i][j] = a1 * in[i][j] + a2 * xm1 + b1 * ym1 + b2 * ym2;
            xm1 = in[i][j];
            ym2 = ym1;
            ym1 = fwd[i][j];
        }
    }
    for (int i = 0; i < N; i++) {
        float yp1 = 0, yp2 = 0, xp1 = 0, xp2 = 0;
        for (int j = N - 1; j >= 0; j--) {
            rev[i][j] = a1 * xp1 + a2 * xp2 + b1 * yp1 + b2 * yp2;
            xp2 = xp1;
            xp1 = in[i][j];
            yp2 = yp1;
            yp1 = rev[i][j];
        }
    }
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) out[i][j] = fwd[i][j] + rev[i][j];
    printf("%f\n", (double)out[N / 2][N / 2]);
    return 0;
}
