// Longest increasing subsequence by binary search over piles. Held out later. Control: data. Sizes: 500 5000 50000.
#include <stdint.h>
#include <stdio.h>
#ifndef N
#define N 5000
#endif
static uint32_t pile[N];
int main(void) {
    uint32_t x = 2463534242u;
    int piles = 0;
    for (int i = 0; i < N; i++) {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        int low = 0, high = piles;
        while (low < high) {
            int middle = (low + high) / 2;
            if (pile[middle] < x) low = middle + 1;
            else high = middle;
        }
        pile[low] = x;
        if (low == piles) piles++;
    }
    printf("%d\n", piles);
    return 0;
}
