// Ways to give change. Held out. Control: fixed. Sizes: 400 4000 40000.
#include <stdio.h>
#ifndef N
#define N 4000
#endif
static const int coin[] = {1, 2, 5, 10, 20, 50, 100, 200};
static unsigned long long ways[N + 1];
int main(void) {
    ways[0] = 1;
    for (unsigned c = 0; c < sizeof coin / sizeof *coin; c++)
        for (int amount = coin[c]; amount <= N; amount++) ways[amount] += ways[amount - coin[c]];
    printf("%llu\n", ways[N]);
    return 0;
}
