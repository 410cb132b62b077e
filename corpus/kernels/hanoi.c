// Towers of Hanoi with pegs in arrays. Control: fixed. Sizes: 8 11 14.
#include <stdio.h>
#ifndef N
#define N 11
#endif
static int peg[3][N + 1], height[3];
static long moves;
static void move(int n, int from, int to, int by) {
    if (n == 0) return;
    move(n - 1, from, by, to);
    peg[to][height[to]++] = peg[from][--height[from]];
    moves++;
    move(n - 1, by, to, from);
}
int main(void) {
    for (int i = N; i > 0; i--) peg[0][height[0]++] = i;
    move(N, 0, 2, 1);
    printf("%ld %d\n", moves, peg[2][0]);
    return 0;
}
