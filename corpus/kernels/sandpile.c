// Grains dropped on a grid until every heap is stable. Held out later. Control: data. Sizes: 200 1000 4000.
#include <stdio.h>
#ifndef N
#define N 1000
#endif
#define SIDE 41
static int pile[SIDE][SIDE], stack[SIDE * SIDE * 4];
int main(void) {
    long topples = 0;
    for (int grain = 0; grain < N; grain++) {
        int top = 0;
        pile[SIDE / 2][SIDE / 2]++;
        stack[top++] = SIDE / 2 * SIDE + SIDE / 2;
        while (top) {
            int cell = stack[--top], y = cell / SIDE, x = cell % SIDE;
            if (pile[y][x] < 4) continue;
            pile[y][x] -= 4;
            topples++;
            if (pile[y][x] >= 4) stack[top++] = cell;
            if (y > 0 && ++pile[y - 1][x] >= 4) stack[top++] = cell - SIDE;
            if (y < SIDE - 1 && ++pile[y + 1][x] >= 4) stack[top++] = cell + SIDE;
            if (x > 0 && ++pile[y][x - 1] >= 4) stack[top++] = cell - 1;
            if (x < SIDE - 1 && ++pile[y][x + 1] >= 4) stack[top++] = cell + 1;
        }
    }
    printf("%ld\n", topples);
    return 0;
}
