// Integer matrices from a linear generator, multiplied by calls. Held out. Control: fixed. Sizes: 8 18 40.
#include <stdio.h>
#ifndef N
#define N 18
#endif
typedef long matrix[N][N];
static int seed;
static matrix A, B, C;
static int draw(void) {
    seed = (seed * 133 + 81) % 8095;
    return seed;
}
static void initialise(matrix m) {
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) m[i][j] = draw();
}
__attribute__((noinline)) static void multiply(matrix a, matrix b, matrix r) {
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            r[i][j] = 0;
            for (int k = 0; k < N; k++) r[i][j] += a[i][k] * b[k][j];
        }
}
static int benchmark(int repeat) {
    while (repeat-- > 0) {
        seed = 0;
        initialise(A);
        initialise(B);
        multiply(A, B, C);
    }
    return (int)C[N - 1][N - 1];
}
int main(void) {
    printf("%d\n", benchmark(20));
    return 0;
}
