// 0/1 knapsack by dynamic programming. Control: data. Sizes: 20 60 200.
#include <stdio.h>
#ifndef N
#define N 60
#endif
#define CAPACITY (10 * N)
static int weight[N], value[N], best[CAPACITY + 1];
int main(void) {
    for (int i = 0; i < N; i++) {
        weight[i] = 1 + (i * 37) % 23;
        value[i] = 10 + (i * 91) % 57;
    }
    for (int i = 0; i < N; i++)
        for (int w = CAPACITY; w >= weight[i]; w--) {
            int with = best[w - weight[i]] + value[i];
            if (with > best[w]) best[w] = with;
        }
    printf("%d\n", best[CAPACITY]);
    return 0;
}
