// Conway's game of life on a torus. Control: fixed. Sizes: 16 48 144.
#include <stdio.h>
#include <string.h>
#ifndef N
#define N 48
#endif
static unsigned char cell[N][N], next[N][N];
int main(void) {
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) cell[i][j] = (i * 3 + j * 5 + i * j) % 7 < 3;
    for (int t = 0; t < 20; t++) {
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++) {
                int sum = 0;
                for (int di = -1; di <= 1; di++)
                    for (int dj = -1; dj <= 1; dj++)
                        if (di || dj) sum += cell[(i + di + N) % N][(j + dj + N) % N];
                next[i][j] = sum == 3 || (sum == 2 && cell[i][j]);
            }
        memcpy(cell, next, sizeof cell);
    }
    int alive = 0;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) alive += cell[i][j];
    printf("%d\n", alive);
    return 0;
}
