// Strided convolution, maximum pooling and a fully connected layer. Held out fourth. Control: fixed. Sizes: 18 50 150.
#include <stdio.h>
#ifndef N
#define N 50
#endif
#define CHANNELS 4
#define K 3
#define M ((N - K) / 2 + 1)
#define P (M / 2)
static float image[N][N], weights[CHANNELS][K][K], map[CHANNELS][M][M], pooled[CHANNELS][P][P], out[10];
int main(void) {
    for (int y = 0; y < N; y++)
        for (int x = 0; x < N; x++) image[y][x] = (float)((x * 5 + y * 3) % 17) / 17;
    for (int c = 0; c < CHANNELS; c++)
        for (int i = 0; i < K * K; i++) weights[c][i / K][i % K] = (float)((c + i) % 5 - 2) / 4;
    for (int c = 0; c < CHANNELS; c++)
        for (int y = 0; y < M; y++)
            for (int x = 0; x < M; x++) {
                float sum = 0;
                for (int i = 0; i < K; i++)
                    for (int j = 0; j < K; j++) sum += weights[c][i][j] * image[2 * y + i][2 * x + j];
                map[c][y][x] = sum > 0 ? sum : 0;
            }
    for (int c = 0; c < CHANNELS; c++)
        for (int y = 0; y < P; y++)
            for (int x = 0; x < P; x++) {
                float most = map[c][2 * y][2 * x];
                for (int i = 0; i < 2; i++)
                    for (int j = 0; j < 2; j++) most = map[c][2 * y + i][2 * x + j] > most ? map[c][2 * y + i][2 * x + j] : most;
                pooled[c][y][x] = most;
            }
    for (int o = 0; o < 10; o++)
        for (int c = 0; c < CHANNELS; c++)
            for (int y = 0; y < P; y++)
                for (int x = 0; x < P; x++) out[o] += pooled[c][y][x] * (float)((o + c + x + y) % 3 - 1);
    float sum = 0;
    for (int o = 0; o < 10; o++) sum += out[o];
    printf("%.5f\n", sum);
    return 0;
}
