// Prefix sums and a sliding window. Control: fixed. Sizes: 3000 30000 300000.
#include <stdio.h>
#include <stdlib.h>
#ifndef N
#define N 30000
#endif
int main(void) {
    long long *v = malloc(N * sizeof *v), *s = malloc((N + 1) * sizeof *s), best = 0;
    for (int i = 0; i < N; i++) v[i] = (i * 2654435761u) % 1000;
    s[0] = 0;
    for (int i = 0; i < N; i++) s[i + 1] = s[i] + v[i];
    for (int i = 100; i <= N; i++) {
        long long window = s[i] - s[i - 100];
        best = window > best ? window : best;
    }
    printf("%lld %lld\n", s[N], best);
    free(v);
    free(s);
    return 0;
}
