// Correlation matrix. Control: fixed. Sizes: 10 32 100.
#include <math.h>
#include <stdio.h>
#ifndef N
#define N 32
#endif
static double data[N][N], corr[N][N], mean[N], dev[N];
int main(void) {
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) data[i][j] = (double)(i * j) / N + i;
    for (int j = 0; j < N; j++) {
        mean[j] = 0.0;
        for (int i = 0; i < N; i++) mean[j] += data[i][j];
        mean[j] /= N;
        dev[j] = 0.0;
        for (int i = 0; i < N; i++) dev[j] += (data[i][j] - mean[j]) * (data[i][j] - mean[j]);
        dev[j] = sqrt(dev[j] / N);
        dev[j] = dev[j] <= 0.1 ? 1.0 : dev[j];
    }
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) data[i][j] = (data[i][j] - mean[j]) / (sqrt((double)N) * dev[j]);
    for (int i = 0; i < N - 1; i++) {
        corr[i][i] = 1.0;
        for (int j = i + 1; j < N; j++) {
            corr[i][j] = 0.0;
            for (int k = 0; k < N; k++) corr[i][j] += data[k][i] * data[k][j];
            corr[j][i] = corr[i][j];
        }
    }
    printf("%f\n", corr[1][N / 2]);
    return 0;
}
