// Transitive closure in bit rows. Held out. Control: data. Sizes: 32 96 320.
#include <stdint.h>
#include <stdio.h>
#ifndef N
#define N 96
#endif
#define W ((N + 31) / 32)
static uint32_t reach[N][W];
static void edge(int a, int b) { reach[a][b / 32] |= 1u << (b % 32); }
static int has(int a, int b) { return reach[a][b >> 5] >> (b & 31) & 1; }
int main(void) {
    for (int i = 0; i < N; i++) {
        edge(i, (i * 5 + 1) % N);
        if (i % 3 == 0) edge(i, (i * i + 7) % N);
    }
    for (int k = 0; k < N; k++)
        for (int i = 0; i < N; i++)
            if (has(i, k))
                for (int w = 0; w < W; w++) reach[i][w] |= reach[k][w];
    int pairs = 0;
    for (int i = 0; i < N; i++)
        for (int w = 0; w < W; w++) pairs += __builtin_popcount(reach[i][w]);
    printf("pairs: %d\n", pairs);
    return 0;
}
