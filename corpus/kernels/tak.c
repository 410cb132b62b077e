// Takeuchi's and Ackermann's functions. Held out. Control: data. Sizes: 4 6 9.
#include <stdio.h>
#ifndef N
#define N 6
#endif
static int tak(int x, int y, int z) { return y < x ? tak(tak(x - 1, y, z), tak(y - 1, z, x), tak(z - 1, x, y)) : z; }
static int ack(int m, int n) { return m == 0 ? n + 1 : n == 0 ? ack(m - 1, 1) : ack(m - 1, ack(m, n - 1)); }
int main(void) {
    printf("%d %d\n", tak(2 * N, N, N / 2), ack(2, 3 * N));
    return 0;
}
