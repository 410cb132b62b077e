// Counts placements of N queens by bit sets. Control: data. Sizes: 6 8 10.
#include <stdio.h>
#ifndef N
#define N 8
#endif
static int place(unsigned all, unsigned cols, unsigned left, unsigned right) {
    if (cols == all) return 1;
    int count = 0;
    for (unsigned open = all & ~(cols | left | right); open;) {
        unsigned bit = open & -open;
        open ^= bit;
        count += place(all, cols | bit, (left | bit) << 1, (right | bit) >> 1);
    }
    return count;
}
int main(void) {
    printf("%d\n", place((1u << N) - 1, 0, 0, 0));
    return 0;
}
