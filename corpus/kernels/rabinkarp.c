// String search by a rolling hash. Held out. Control: data. Sizes: 1000 10000 100000.
#include <stdio.h>
#include <string.h>
#ifndef N
#define N 10000
#endif
static char text[N + 1];
static int search(const char *pattern, const char *text) {
    const int q = 8191, d = 256;
    int m = strlen(pattern), n = strlen(text), h = 1, p = 0, t = 0, found = 0;
    for (int i = 0; i < m - 1; i++) h = h * d % q;
    for (int i = 0; i < m; i++) {
        p = (d * p + pattern[i]) % q;
        t = (d * t + text[i]) % q;
    }
    for (int i = 0; i <= n - m; i++) {
        if (p == t) {
            int j;
            for (j = 0; j < m; j++)
                if (text[i + j] != pattern[j]) break;
            if (j == m) found++;
        }
        if (i < n - m) {
            t = (d * (t - text[i] * h) + text[i + m]) % q;
            if (t < 0) t += q;
        }
    }
    return found;
}
int main(void) {
    for (int i = 0; i < N; i++) text[i] = "abacabad"[(i ^ i / 13) % 8];
    printf("%d %d\n", search("abacab", text), search("dabaa", text));
    return 0;
}
