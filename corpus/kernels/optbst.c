// Optimal binary search tree by dynamic programming over intervals. Held out later. Control: data. Sizes: 20 46 100.
#include <stdio.h>
#ifndef N
#define N 46
#endif
static int weight[N + 1], sum[N + 2], cost[N + 2][N + 1];
int main(void) {
    for (int i = 1; i <= N; i++) {
        weight[i] = i * 37 % 23 + 1;
        sum[i] = sum[i - 1] + weight[i];
        cost[i][i] = weight[i];
    }
    for (int length = 2; length <= N; length++)
        for (int i = 1; i + length - 1 <= N; i++) {
            int j = i + length - 1, best = 1 << 30;
            for (int r = i; r <= j; r++) {
                int c = (r > i ? cost[i][r - 1] : 0) + (r < j ? cost[r + 1][j] : 0);
                if (c < best) best = c;
            }
            cost[i][j] = best + sum[j] - sum[i - 1];
        }
    printf("%d\n", cost[1][N]);
    return 0;
}
