// Counts inversions with a Fenwick tree. Held out fourth. Control: data. Sizes: 200 2000 20000.
#include <stdint.h>
#include <stdio.h>
#ifndef N
#define N 2000
#endif
static int tree[N + 1];
static int order[N];
static uint32_t seed = 12345;
int main(void) {
    for (int i = 0; i < N; i++) order[i] = i + 1;
    for (int i = N - 1; i > 0; i--) {
        seed = seed * 1664525u + 1013904223u;
        int j = (int)(seed >> 8) % (i + 1), held = order[i];
        order[i] = order[j];
        order[j] = held;
    }
    long inversions = 0;
    for (int i = N - 1; i >= 0; i--) {
        for (int at = order[i]; at > 0; at -= at & -at) inversions += tree[at];
        for (int at = order[i]; at <= N; at += at & -at) tree[at]++;
    }
    printf("%ld\n", inversions);
    return 0;
}
