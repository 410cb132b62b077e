// Knapsack of n things into m. Growth: n m. Runs: 20,200 40,200 80,200 20,400 40,400 > 400,6000.
#include <stdio.h>
#include <stdlib.h>
static unsigned s = 12345;
static unsigned next_random(void) { return s = s * 1664525u + 1013904223u, s >> 8; }
int main(int argc, char **argv) {
    if (argc < 3) return 2;
    long n = atol(argv[1]), m = atol(argv[2]);
    int *best = calloc(m + 1, sizeof *best);
    for (long i = 0; i < n; i++) {
        long weight = 1 + next_random() % 20;
        int value = next_random() % 100;
        for (long w = m; w >= weight; w--)
            if (best[w - weight] + value > best[w]) best[w] = best[w - weight] + value;
    }
    printf("%d\n", best[m]);
    return 0;
}
