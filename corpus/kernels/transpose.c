// Matrix transposition, plain and blocked. Control: fixed. Sizes: 32 96 288.
#include <stdio.h>
#ifndef N
#define N 96
#endif
#define B 8
static int a[N][N], b[N][N];
int main(void) {
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) a[i][j] = i * N + j;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) b[j][i] = a[i][j];
    for (int ii = 0; ii < N; ii += B)
        for (int jj = 0; jj < N; jj += B)
            for (int i = ii; i < ii + B; i++)
                for (int j = jj; j < jj + B; j++) a[j][i] = b[i][j] + 1;
    printf("%d %d\n", a[1][2], b[2][1]);
    return 0;
}
