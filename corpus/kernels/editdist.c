// Levenshtein distance with two rows. Control: data. Sizes: 60 200 600.
#include <stdio.h>
#include <stdlib.h>
#ifndef N
#define N 200
#endif
static int least(int a, int b, int c) {
    int m = a < b ? a : b;
    return m < c ? m : c;
}
static int distance(const char *a, int m, const char *b, int n) {
    int *row = malloc((n + 1) * sizeof(int)), *next = malloc((n + 1) * sizeof(int));
    for (int j = 0; j <= n; j++) row[j] = j;
    for (int i = 1; i <= m; i++) {
        next[0] = i;
        for (int j = 1; j <= n; j++) next[j] = least(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] != b[j - 1]));
        int *t = row;
        row = next;
        next = t;
    }
    int result = row[n];
    free(row);
    free(next);
    return result;
}
int main(void) {
    static char a[N], b[N];
    for (int i = 0; i < N; i++) {
        a[i] = 'a' + i * i % 26;
        b[i] = 'a' + (i * 7 + 3) % 26;
    }
    printf("%d\n", distance(a, N, b, N));
    return 0;
}
