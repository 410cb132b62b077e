// N queens with bit masks, counting all solutions. Held out. Control: data. Sizes: 6 8 10.
#include <stdio.h>
#ifndef N
#define N 8
#endif
static int place(unsigned columns, unsigned left, unsigned right) {
    const unsigned all = (1u << N) - 1;
    if (columns == all) return 1;
    int found = 0;
    unsigned free = all & ~(columns | left | right);
    while (free) {
        unsigned bit = free & -free;
        free ^= bit;
        found += place(columns | bit, (left | bit) << 1, (right | bit) >> 1);
    }
    return found;
}
int main(void) {
    printf("%d queens: %d\n", N, place(0, 0, 0));
    return 0;
}
