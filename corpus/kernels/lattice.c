// Lattice Boltzmann flow on nine directions. Held out fourth. Control: fixed. Sizes: 10 30 96.
#include <stdio.h>
#ifndef N
#define N 30
#endif
#define STEPS 12
static double f[2][9][N][N];
static const int dx[9] = {0, 1, 0, -1, 0, 1, -1, -1, 1};
static const int dy[9] = {0, 0, 1, 0, -1, 1, 1, -1, -1};
static const double w[9] = {4.0 / 9, 1.0 / 9, 1.0 / 9, 1.0 / 9, 1.0 / 9, 1.0 / 36, 1.0 / 36, 1.0 / 36, 1.0 / 36};
int main(void) {
    for (int q = 0; q < 9; q++)
        for (int y = 0; y < N; y++)
            for (int x = 0; x < N; x++) f[0][q][y][x] = w[q] * (1.0 + 0.01 * ((x + 2 * y) % 7));
    for (int t = 0; t < STEPS; t++) {
        double (*now)[N][N] = f[t % 2], (*next)[N][N] = f[1 - t % 2];
        for (int y = 0; y < N; y++)
            for (int x = 0; x < N; x++) {
                double rho = 0, u = 0, v = 0;
                for (int q = 0; q < 9; q++) {
                    double p = now[q][y][x];
                    rho += p;
                    u += p * dx[q];
                    v += p * dy[q];
                }
                u /= rho;
                v /= rho;
                double square = 1.5 * (u * u + v * v);
                for (int q = 0; q < 9; q++) {
                    double along = 3.0 * (dx[q] * u + dy[q] * v);
                    double rest = w[q] * rho * (1.0 + along + 0.5 * along * along - square);
                    int to_x = (x + dx[q] + N) % N, to_y = (y + dy[q] + N) % N;
                    next[q][to_y][to_x] = now[q][y][x] + 0.6 * (rest - now[q][y][x]);
                }
            }
    }
    double sum = 0;
    for (int y = 0; y < N; y++) sum += f[0][3][y][y];
    printf("%.9f\n", sum);
    return 0;
}
