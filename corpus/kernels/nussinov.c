// RNA folding by dynamic programming over a triangle. Control: data. Sizes: 16 50 150.
#include <stdio.h>
#ifndef N
#define N 50
#endif
static int table[N][N];
static char seq[N];
static int max(int a, int b) { return a > b ? a : b; }
int main(void) {
    for (int i = 0; i < N; i++) seq[i] = (char)((i + 1) % 4);
    for (int i = N - 1; i >= 0; i--)
        for (int j = i + 1; j < N; j++) {
            if (j - 1 >= 0) table[i][j] = max(table[i][j], table[i][j - 1]);
            if (i + 1 < N) table[i][j] = max(table[i][j], table[i + 1][j]);
            if (j - 1 >= 0 && i + 1 < N) {
                if (i < j - 1) table[i][j] = max(table[i][j], table[i + 1][j - 1] + (seq[i] + seq[j] == 3));
                else table[i][j] = max(table[i][j], table[i + 1][j - 1]);
            }
            for (int k = i + 1; k < j; k++) table[i][j] = max(table[i][j], table[i][k] + table[k + 1][j]);
        }
    printf("%d\n", table[0][N - 1]);
    return 0;
}
