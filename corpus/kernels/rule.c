// Elementary cellular automaton, printing some generations. Held out. Control: fixed. Sizes: 64 200 640.
#include <stdio.h>
#include <string.h>
#ifndef N
#define N 200
#endif
int main(void) {
    static unsigned char cell[N], next[N];
    const unsigned rule = 110;
    memset(cell, 0, N);
    cell[N - 1] = 1;
    for (int g = 0; g < N; g++) {
        for (int i = 0; i < N; i++) {
            int left = cell[(i + N - 1) % N], right = cell[(i + 1) % N];
            next[i] = rule >> (left << 2 | cell[i] << 1 | right) & 1;
        }
        memcpy(cell, next, N);
        if (g % 50 == 0) {
            for (int i = 0; i < N; i++) putchar(cell[i] ? '#' : '.');
            putchar('\n');
        }
    }
    int alive = 0;
    for (int i = 0; i < N; i++) alive += cell[i];
    printf("%d\n", alive);
    return 0;
}
