// Matrix transposed in tiles, out of place and in place. Held out. Control: fixed. Sizes: 30 100 310.
#include <stdio.h>
#include <stdlib.h>
#ifndef N
#define N 100
#endif
#define TILE 16
static int min(int a, int b) { return a < b ? a : b; }
static void transpose(const float *a, float *b, int n) {
    for (int ii = 0; ii < n; ii += TILE)
        for (int jj = 0; jj < n; jj += TILE)
            for (int i = ii; i < min(ii + TILE, n); i++)
                for (int j = jj; j < min(jj + TILE, n); j++) b[j * n + i] = a[i * n + j];
}
static void in_place(float *a, int n) {
    for (int i = 0; i < n; i++)
        for (int j = 0; j < i; j++) {
            float t = a[i * n + j];
            a[i * n + j] = a[j * n + i];
            a[j * n + i] = t;
        }
}
int main(void) {
    float *a = malloc(sizeof(float) * N * N), *b = malloc(sizeof(float) * N * N);
    for (int i = 0; i < N * N; i++) a[i] = (float)i;
    transpose(a, b, N);
    in_place(b, N);
    int wrong = 0;
    for (int i = 0; i < N * N; i++) wrong += a[i] != b[i];
    printf("%d wrong of %d\n", wrong, N * N);
    return 0;
}
