// Backtracking matches of simple regular expressions in generated lines. Held out third. Control: data. Sizes: 20 200 2000.
#include <stdio.h>
#include <string.h>
#ifndef N
#define N 200
#endif
static int here(const char *re, const char *text);
static int star(int c, const char *re, const char *text) {
    do
        if (here(re, text)) return 1;
    while (*text && (*text++ == c || c == '.'));
    return 0;
}
static int here(const char *re, const char *text) {
    if (!re[0]) return 1;
    if (re[1] == '*') return star(re[0], re + 2, text);
    if (re[0] == '$' && !re[1]) return !*text;
    if (*text && (re[0] == '.' || re[0] == *text)) return here(re + 1, text + 1);
    return 0;
}
static int match(const char *re, const char *text) {
    if (re[0] == '^') return here(re + 1, text);
    do
        if (here(re, text)) return 1;
    while (*text++);
    return 0;
}
int main(void) {
    static const char *patterns[] = {"ab*c", "^the", "o.*o", "x$", "q", ".a.e", "n.*g$"};
    static const char *words[] = {"the ", "quick ", "brown ", "fox", "jumps ", "over ", "lazy ", "dog ", "abbbc ", "naming"};
    int hits[7] = {0};
    unsigned x = 7;
    for (int i = 0; i < N; i++) {
        char line[64];
        line[0] = 0;
        for (int w = 0; w < 5; w++) {
            x = x * 1664525u + 1013904223u;
            strcat(line, words[(x >> 16) % 10]);
        }
        for (int k = 0; k < 7; k++) hits[k] += match(patterns[k], line);
    }
    for (int k = 0; k < 7; k++) printf("%s %d\n", patterns[k], hits[k]);
    return 0;
}
