// Median filter, nine pixels sorted by insertion. Held out. Control: data. Sizes: 12 36 110.
#include <stdio.h>
#ifndef N
#define N 36
#endif
static unsigned char in[N][N], out[N][N];
static unsigned char median(int y, int x) {
    unsigned char w[9];
    int n = 0;
    for (int i = -1; i <= 1; i++)
        for (int j = -1; j <= 1; j++) {
            unsigned char v = in[y + i][x + j];
            int k = n++;
            while (k > 0 && w[k - 1] > v) { w[k] = w[k - 1]; k--; }
            w[k] = v;
        }
    return w[4];
}
int main(void) {
    unsigned s = 99;
    for (int y = 0; y < N; y++)
        for (int x = 0; x < N; x++) { s = s * 1664525 + 1013904223; in[y][x] = s >> 24; }
    for (int y = 1; y < N - 1; y++)
        for (int x = 1; x < N - 1; x++) out[y][x] = median(y, x);
    long sum = 0;
    for (int y = 0; y < N; y++)
        for (int x = 0; x < N; x++) sum += out[y][x];
    printf("%ld\n", sum);
    return 0;
}
