// Matrix-vector product and transpose. Control: fixed. Sizes: 40 130 400.
#include <stdio.h>
#ifndef N
#define N 130
#endif
static float a[N][N], x1[N], x2[N], y1[N], y2[N];
int main(void) {
    for (int i = 0; i < N; i++) {
        x1[i] = (float)(i % N) / N;
        x2[i] = (float)((i + 1) % N) / N;
        y1[i] = (float)((i + 3) % N) / N;
        y2[i] = (float)((i + 4) % N) / N;
        for (int j = 0; j < N; j++) a[i][j] = (float)(i * j % N) / N;
    }
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) x1[i] = x1[i] + a[i][j] * y1[j];
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) x2[i] = x2[i] + a[j][i] * y2[j];
    printf("mvt %.3f %.3f\n", (double)x1[N - 1], (double)x2[N - 1]);
    return 0;
}
