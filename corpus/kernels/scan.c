// Counts words, lines and a substring in generated text. Control: data. Sizes: 1000 10000 100000.
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#ifndef N
#define N 10000
#endif
static char text[N + 1];
int main(void) {
    unsigned seed = 5;
    for (int i = 0; i < N; i++) {
        seed = seed * 1103515245 + 12345;
        unsigned r = (seed >> 16) % 32;
        text[i] = r < 26 ? 'a' + r : r < 31 ? ' ' : '\n';
    }
    int words = 0, lines = 0, inside = 0, found = 0;
    for (const char *p = text; *p; p++) {
        if (*p == '\n') lines++;
        if (isspace((unsigned char)*p)) inside = 0;
        else if (!inside) {
            inside = 1;
            words++;
        }
    }
    for (const char *p = text; (p = strstr(p, "ab")); p++) found++;
    printf("%d %d %d %zu\n", lines, words, found, strlen(text));
    return 0;
}
