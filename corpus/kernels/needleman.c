// Global alignment of two sequences, scores only. Held out. Control: fixed. Sizes: 40 126 400.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifndef N
#define N 126
#endif
static int max2(int a, int b) { return a > b ? a : b; }
static int max3(int a, int b, int c) { return max2(a, max2(b, c)); }
int main(void) {
    char *s = malloc(N + 1), *t = malloc(N + 1);
    int(*score)[N + 1] = malloc(sizeof(int[N + 1][N + 1]));
    for (int i = 0; i < N; i++) {
        s[i] = "ACGT"[(i * 7 + i / 5) % 4];
        t[i] = "ACGT"[(i * 3 + i / 9) % 4];
    }
    for (int i = 0; i <= N; i++) score[i][0] = score[0][i] = -2 * i;
    for (int i = 1; i <= N; i++)
        for (int j = 1; j <= N; j++) {
            int match = score[i - 1][j - 1] + (s[i - 1] == t[j - 1] ? 3 : -1);
            score[i][j] = max3(match, score[i - 1][j] - 2, score[i][j - 1] - 2);
        }
    printf("score %d\n", score[N][N]);
    free(score);
    return 0;
}
