// Cheapest order of a chain of matrix products. Held out. Control: data. Sizes: 24 52 112.
#include <limits.h>
#include <stdio.h>
#ifndef N
#define N 52
#endif
static long cost[N][N];
static int split[N][N], dims[N + 1];
static void show(int i, int j, int depth) {
    if (i == j || depth > 3) { putchar('A'); return; }
    putchar('(');
    show(i, split[i][j], depth + 1);
    show(split[i][j] + 1, j, depth + 1);
    putchar(')');
}
int main(void) {
    for (int i = 0; i <= N; i++) dims[i] = 5 + (i * 17) % 23;
    for (int len = 2; len <= N; len++)
        for (int i = 0; i + len - 1 < N; i++) {
            int j = i + len - 1;
            cost[i][j] = LONG_MAX;
            for (int k = i; k < j; k++) {
                long c = cost[i][k] + cost[k + 1][j] + (long)dims[i] * dims[k + 1] * dims[j + 1];
                if (c < cost[i][j]) { cost[i][j] = c; split[i][j] = k; }
            }
        }
    show(0, N - 1, 0);
    printf("\n%ld\n", cost[0][N - 1]);
    return 0;
}
