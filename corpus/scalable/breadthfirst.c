// Breadth-first search through an n x n maze. Growth: n^2, data. Runs: 30 60 80 120 160 > 1600.
#include <stdio.h>
#include <stdlib.h>
static unsigned s = 12345;
static unsigned next_random(void) { return s = s * 1664525u + 1013904223u, s >> 8; }
int main(int argc, char **argv) {
    if (argc < 2) return 2;
    long n = atol(argv[1]);
    char *seen = calloc(n * n, 1);
    int *queue = malloc(n * n * sizeof *queue);
    long head = 0, tail = 1;
    for (long i = 1; i < n * n; i++) seen[i] = next_random() % 8 == 0;
    queue[0] = 0, seen[0] = 1;
    while (head < tail) {
        long at = queue[head++], row = at / n, column = at % n;
        if (row > 0 && !seen[at - n]) seen[at - n] = 1, queue[tail++] = at - n;
        if (row + 1 < n && !seen[at + n]) seen[at + n] = 1, queue[tail++] = at + n;
        if (column > 0 && !seen[at - 1]) seen[at - 1] = 1, queue[tail++] = at - 1;
        if (column + 1 < n && !seen[at + 1]) seen[at + 1] = 1, queue[tail++] = at + 1;
    }
    printf("%ld\n", tail);
    return 0;
}
