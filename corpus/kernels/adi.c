// Alternating direction implicit solver. Control: fixed. Sizes: 16 50 150.
#include <stdio.h>
#ifndef N
#define N 50
#endif
#define STEPS 5
static double u[N][N], v[N][N], p[N][N], q[N][N];
int main(void) {
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) u[i][j] = (double)(i + N - j) / N;
    double d = 1.0 / N, mul = 2.0 / STEPS / (d * d), a = -mul / 2.0, b = 1.0 + mul;
    for (int t = 1; t <= STEPS; t++) {
        for (int i = 1; i < N - 1; i++) {
            v[0][i] = 1.0;
            p[i][0] = 0.0;
            q[i][0] = v[0][i];
            for (int j = 1; j < N - 1; j++) {
                p[i][j] = -a / (a * p[i][j - 1] + b);
                q[i][j] = (-a * u[j][i - 1] + (1.0 + 2.0 * a) * u[j][i] - a * u[j][i + 1] - a * q[i][j - 1]) /
                          (a * p[i][j - 1] + b);
            }
            v[N - 1][i] = 1.0;
            for (int j = N - 2; j >= 1; j--) v[j][i] = p[i][j] * v[j + 1][i] + q[i][j];
        }
        for (int i = 1; i < N - 1; i++) {
            u[i][0] = 1.0;
            p[i][0] = 0.0;
            q[i][0] = u[i][0];
            for (int j = 1; j < N - 1; j++) {
                p[i][j] = -a / (a * p[i][j - 1] + b);
                q[i][j] = (-a * v[i - 1][j] + (1.0 + 2.0 * a) * v[i][j] - a * v[i + 1][j] - a * q[i][j - 1]) /
                          (a * p[i][j - 1] + b);
            }
            u[i][N - 1] = 1.0;
            for (int j = N - 2; j >= 1; j--) u[i][j] = p[i][j] * u[i][j + 1] + q[i][j];
        }
    }
    printf("%f\n", u[N / 2][N / 3]);
    return 0;
}
