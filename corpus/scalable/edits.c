// Edit distance of two strings, the second half as long. Growth: n^2, data. Runs: 100 200 300 400 600 > 6400.
#include <stdio.h>
#include <stdlib.h>
static unsigned s = 12345;
static unsigned next_random(void) { return s = s * 1664525u + 1013904223u, s >> 8; }
int main(int argc, char **argv) {
    if (argc < 2) return 2;
    long n = atol(argv[1]);
    long m = n / 2;
    char *x = malloc(n), *y = malloc(m);
    int *row = malloc((m + 1) * sizeof *row);
    for (long i = 0; i < n; i++) x[i] = next_random() & 7;
    for (long j = 0; j < m; j++) y[j] = next_random() & 7;
    for (long j = 0; j <= m; j++) row[j] = j;
    for (long i = 1; i <= n; i++) {
        int diagonal = row[0];
        row[0] = i;
        for (long j = 1; j <= m; j++) {
            int up = row[j], cost = diagonal + (x[i - 1] != y[j - 1]);
            if (up + 1 < cost) cost = up + 1;
            if (row[j - 1] + 1 < cost) cost = row[j - 1] + 1;
            diagonal = up;
            row[j] = cost;
        }
    }
    printf("%d\n", row[m]);
    return 0;
}
