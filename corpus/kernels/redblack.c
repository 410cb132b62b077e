// Red-black successive over-relaxation. Held out. Control: fixed. Sizes: 20 62 200.
#include <stdio.h>
#ifndef N
#define N 62
#endif
double u[N + 2][N + 2], f[N + 2][N + 2];
static void sweep(int colour, double omega) {
    for (int i = 1; i <= N; i++)
        for (int j = 1 + (i + colour) % 2; j <= N; j += 2) {
            double r = (u[i - 1][j] + u[i + 1][j] + u[i][j - 1] + u[i][j + 1] - f[i][j]) * 0.25;
            u[i][j] += omega * (r - u[i][j]);
        }
}
int main(void) {
    int i, j, it;
    for (i = 0; i < N + 2; i++)
        for (j = 0; j < N + 2; j++) f[i][j] = 0.001 * (i - j);
    for (it = 0; it < 12; it++) {
        sweep(0, 1.5);
        sweep(1, 1.5);
    }
    double total = 0;
    for (i = 1; i <= N; i++)
        for (j = 1; j <= N; j++) total += u[i][j];
    printf("%.10e\n", total);
    return 0;
}
