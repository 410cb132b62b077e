// Knuth-Morris-Pratt string search. Control: data. Sizes: 1000 10000 100000.
#include <stdio.h>
#include <string.h>
#ifndef N
#define N 10000
#endif
static char text[N + 1];
int main(void) {
    const char *pattern = "abacabab";
    int m = (int)strlen(pattern), fail[16] = {0}, hits = 0;
    for (int i = 0; i < N; i++) text[i] = "abacabaabacabab"[(i * 7 + i / 5) % 15];
    for (int i = 1, k = 0; i < m; i++) {
        while (k && pattern[i] != pattern[k]) k = fail[k - 1];
        if (pattern[i] == pattern[k]) k++;
        fail[i] = k;
    }
    for (int i = 0, k = 0; i < N; i++) {
        while (k && text[i] != pattern[k]) k = fail[k - 1];
        if (text[i] == pattern[k]) k++;
        if (k == m) {
            hits++;
            k = fail[k - 1];
        }
    }
    printf("%d\n", hits);
    return 0;
}
