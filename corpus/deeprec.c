// Recurses to the depth given (default: two thousand million), keeping a frame alive at each level.
#include <stdio.h>
#include <stdlib.h>

static unsigned long descend(unsigned long depth, volatile unsigned long *above) {
    volatile unsigned long here = depth + *above;
    if (depth == 0) return here;
    return descend(depth - 1, &here) + here;
}

int main(int argc, char **argv) {
    unsigned long depth = argc > 1 ? strtoul(argv[1], NULL, 10) : 2000000000ul;
    volatile unsigned long top = 1;
    printf("%lu\n", descend(depth, &top));
    return 0;
}
