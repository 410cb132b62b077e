// Two layers of convolution, rectification and pooling, then a dense one. Held out third. Control: fixed. Sizes: 12 28 92.
#include <stdio.h>
#ifndef N
#define N 28
#endif
#define C1 4
#define C2 6
#define S1 ((N - 2) / 2)
#define S2 ((S1 - 2) / 2)
#define CLASSES 10
static float image[N][N], k1[C1][3][3], k2[C2][C1][3][3], l1[C1][S1][S1], l2[C2][S2][S2], dense[CLASSES][C2 * S2 * S2];
static float relu(float x) { return x > 0 ? x : 0; }
static float most(float a, float b) { return a > b ? a : b; }
static float first(int c, int y, int x) {
    float sum = 0.1f * c;
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) sum += image[y + i][x + j] * k1[c][i][j];
    return relu(sum);
}
static float second(int c, int y, int x) {
    float sum = -0.05f * c;
    for (int from = 0; from < C1; from++)
        for (int i = 0; i < 3; i++)
            for (int j = 0; j < 3; j++) sum += l1[from][y + i][x + j] * k2[c][from][i][j];
    return relu(sum);
}
int main(void) {
    for (int y = 0; y < N; y++)
        for (int x = 0; x < N; x++) image[y][x] = (float)((x * 37 + y * 91) % 64) / 64;
    for (int c = 0; c < C1; c++)
        for (int i = 0; i < 9; i++) k1[c][i / 3][i % 3] = (float)((c * 9 + i) % 7 - 3) / 7;
    for (int c = 0; c < C2; c++)
        for (int from = 0; from < C1; from++)
            for (int i = 0; i < 9; i++) k2[c][from][i / 3][i % 3] = (float)((c * 31 + from * 9 + i) % 11 - 5) / 11;
    for (int o = 0; o < CLASSES; o++)
        for (int i = 0; i < C2 * S2 * S2; i++) dense[o][i] = (float)((o * 17 + i * 3) % 23 - 11) / 23;
    for (int c = 0; c < C1; c++)
        for (int y = 0; y < S1; y++)
            for (int x = 0; x < S1; x++)
                l1[c][y][x] = most(most(first(c, 2 * y, 2 * x), first(c, 2 * y, 2 * x + 1)),
                                   most(first(c, 2 * y + 1, 2 * x), first(c, 2 * y + 1, 2 * x + 1)));
    for (int c = 0; c < C2; c++)
        for (int y = 0; y < S2; y++)
            for (int x = 0; x < S2; x++)
                l2[c][y][x] = most(most(second(c, 2 * y, 2 * x), second(c, 2 * y, 2 * x + 1)),
                                   most(second(c, 2 * y + 1, 2 * x), second(c, 2 * y + 1, 2 * x + 1)));
    for (int o = 0; o < CLASSES; o++) {
        float sum = 0, *in = &l2[0][0][0];
        for (int i = 0; i < C2 * S2 * S2; i++) sum += dense[o][i] * in[i];
        printf("%.4f ", sum);
    }
    puts("");
    return 0;
}
