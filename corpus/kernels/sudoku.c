// Sudoku by backtracking over the most constrained cell. Held out third. Control: data. Sizes: 1 3 12.
#include <stdint.h>
#include <stdio.h>
#ifndef N
#define N 3
#endif
static const char *puzzle = "53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79";
static uint16_t rows[9], columns[9], boxes[9];
static uint8_t cell[81];
static long tried;
static void set(int at, int digit) {
    cell[at] = (uint8_t)digit;
    uint16_t bit = (uint16_t)(1u << digit);
    rows[at / 9] ^= bit;
    columns[at % 9] ^= bit;
    boxes[at / 27 * 3 + at % 9 / 3] ^= bit;
}
static int solve(void) {
    int best = -1, fewest = 10;
    uint16_t choices = 0;
    for (int at = 0; at < 81; at++) {
        if (cell[at]) continue;
        uint16_t free = 0x3fe & ~(rows[at / 9] | columns[at % 9] | boxes[at / 27 * 3 + at % 9 / 3]);
        int count = __builtin_popcount(free);
        if (count < fewest) {
            fewest = count;
            best = at;
            choices = free;
        }
    }
    if (best < 0) return 1;
    for (int digit = 1; digit <= 9; digit++)
        if (choices >> digit & 1) {
            tried++;
            set(best, digit);
            if (solve()) return 1;
            set(best, digit);
            cell[best] = 0;
        }
    return 0;
}
int main(void) {
    for (int round = 0; round < N; round++) {
        for (int k = 0; k < 9; k++) rows[k] = columns[k] = boxes[k] = 0;
        for (int at = 0; at < 81; at++) cell[at] = 0;
        for (int at = 0; at < 81; at++) {
            int given = puzzle[at];
            if (given != '.' && (at + round) % 7 < 5 + round % 2) set(at, (given - '1' + round) % 9 + 1);
        }
        if (!solve()) puts("none");
    }
    printf("%ld\n", tried);
    return 0;
}
