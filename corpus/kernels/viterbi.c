// The likeliest states of a hidden Markov model. Held out third. Control: data. Sizes: 60 600 6000.
#include <stdint.h>
#include <stdio.h>
#ifndef N
#define N 600
#endif
#define STATES 12
#define SYMBOLS 8
static int score[2][STATES], step[STATES][STATES], emit[STATES][SYMBOLS];
static uint8_t from[N][STATES], seen[N], path[N];
int main(void) {
    unsigned x = 11;
    for (int i = 0; i < STATES; i++) {
        for (int j = 0; j < STATES; j++) x = x * 1664525u + 1013904223u, step[i][j] = -(int)(x >> 24) - (i == j ? 0 : 64);
        for (int k = 0; k < SYMBOLS; k++) x = x * 1664525u + 1013904223u, emit[i][k] = -(int)(x >> 24);
    }
    for (int t = 0; t < N; t++) x = x * 1664525u + 1013904223u, seen[t] = (uint8_t)((x >> 20) % SYMBOLS);
    for (int s = 0; s < STATES; s++) score[0][s] = emit[s][seen[0]];
    for (int t = 1; t < N; t++) {
        int *before = score[(t - 1) & 1], *now = score[t & 1];
        for (int s = 0; s < STATES; s++) {
            int best = before[0] + step[0][s], by = 0;
            for (int r = 1; r < STATES; r++)
                if (before[r] + step[r][s] > best) {
                    best = before[r] + step[r][s];
                    by = r;
                }
            now[s] = best + emit[s][seen[t]];
            from[t][s] = (uint8_t)by;
        }
    }
    int last = 0, *end = score[(N - 1) & 1];
    for (int s = 1; s < STATES; s++)
        if (end[s] > end[last]) last = s;
    for (int t = N - 1; t > 0; t--) {
        path[t] = (uint8_t)last;
        last = from[t][last];
    }
    path[0] = (uint8_t)last;
    unsigned sum = 0;
    for (int t = 0; t < N; t++) sum = sum * 13 + path[t];
    printf("%d %u\n", end[path[N - 1]], sum);
    return 0;
}
