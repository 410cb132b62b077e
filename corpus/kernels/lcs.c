// Longest common subsequence of two generated strings. Control: data. Sizes: 60 200 600.
#include <stdio.h>
#include <string.h>
#ifndef N
#define N 200
#endif
static char a[N + 1], b[N + 1];
static int table[N + 1][N + 1];
int main(void) {
    unsigned seed = 7;
    for (int i = 0; i < N; i++) {
        seed = seed * 1103515245 + 12345;
        a[i] = 'a' + (seed >> 16) % 4;
        seed = seed * 1103515245 + 12345;
        b[i] = 'a' + (seed >> 16) % 4;
    }
    int m = strlen(a), n = strlen(b);
    for (int i = 1; i <= m; i++)
        for (int j = 1; j <= n; j++) {
            if (a[i - 1] == b[j - 1]) table[i][j] = table[i - 1][j - 1] + 1;
            else table[i][j] = table[i - 1][j] > table[i][j - 1] ? table[i - 1][j] : table[i][j - 1];
        }
    printf("%d\n", table[m][n]);
    return 0;
}
