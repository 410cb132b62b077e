// Chases indices through a random permutation. Control: fixed. Sizes: 1000 10000 100000.
#include <stdio.h>
#ifndef N
#define N 10000
#endif
static unsigned next[N];
int main(void) {
    for (unsigned i = 0; i < N; i++) next[i] = i;
    unsigned x = 17;
    for (unsigned i = N - 1; i > 0; i--) {
        x = x * 1664525u + 1013904223u;
        unsigned j = x % i, t = next[i];
        next[i] = next[j];
        next[j] = t;
    }
    unsigned at = 0, sum = 0;
    for (int i = 0; i < 10 * N; i++) {
        at = next[at];
        sum += at;
    }
    printf("%u\n", sum);
    return 0;
}
