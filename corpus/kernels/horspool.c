// String search by Horspool's bad-character table for several patterns. Held out later. Control: data. Sizes: 1000 10000 100000.
#include <stdio.h>
#include <string.h>
#ifndef N
#define N 10000
#endif
static char text[N];
static int occurrences(const char *pattern) {
    int m = (int)strlen(pattern), skip[256], found = 0;
    for (int i = 0; i < 256; i++) skip[i] = m;
    for (int i = 0; i < m - 1; i++) skip[(unsigned char)pattern[i]] = m - 1 - i;
    for (int at = 0; at + m <= N;) {
        int k = m - 1;
        while (k >= 0 && text[at + k] == pattern[k]) k--;
        if (k < 0) found++;
        at += skip[(unsigned char)text[at + m - 1]];
    }
    return found;
}
int main(void) {
    for (int i = 0; i < N; i++) text[i] = "abracadabra banana cabana "[(i * 7 + i / 31) % 26];
    const char *patterns[] = {"abra", "banana", "ca", "nabac", "zzz"};
    int total = 0;
    for (int p = 0; p < 5; p++) total += occurrences(patterns[p]);
    printf("%d\n", total);
    return 0;
}
