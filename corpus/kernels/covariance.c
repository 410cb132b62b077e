// Covariance matrix of float data. Control: fixed. Sizes: 10 32 100.
#include <stdio.h>
#ifndef N
#define N 32
#endif
#define M (N + 8)
static float data[M][N], cov[N][N], mean[N];
int main(void) {
    for (int i = 0; i < M; i++)
        for (int j = 0; j < N; j++) data[i][j] = (float)(i * j) / N;
    for (int j = 0; j < N; j++) {
        mean[j] = 0.0f;
        for (int i = 0; i < M; i++) mean[j] += data[i][j];
        mean[j] /= M;
    }
    for (int i = 0; i < M; i++)
        for (int j = 0; j < N; j++) data[i][j] -= mean[j];
    for (int i = 0; i < N; i++)
        for (int j = i; j < N; j++) {
            cov[i][j] = 0.0f;
            for (int k = 0; k < M; k++) cov[i][j] += data[k][i] * data[k][j];
            cov[i][j] /= (M - 1.0f);
            cov[j][i] = cov[i][j];
        }
    printf("%f\n", (double)cov[1][2]);
    return 0;
}
