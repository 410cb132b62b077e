// Queens that do not attack each other. Growth: about n!. Runs: 4 5 6 7 8 > 11.
#include <stdio.h>
#include <stdlib.h>
static long place(unsigned all, unsigned columns, unsigned left, unsigned right) {
    long count = 0;
    if (columns == all) return 1;
    for (unsigned open = all & ~(columns | left | right); open; open &= open - 1) {
        unsigned bit = open & -open;
        count += place(all, columns | bit, (left | bit) << 1, (right | bit) >> 1);
    }
    return count;
}
int main(int argc, char **argv) {
    if (argc < 2) return 2;
    long n = atol(argv[1]);
    printf("%ld\n", place((1u << n) - 1, 0, 0, 0));
    return 0;
}
