// Lines, words and bytes of standard input.
#include <ctype.h>
#include <stdio.h>

int main(void) {
    static unsigned char buffer[65536];
    unsigned long lines = 0, words = 0, bytes = 0;
    int inside = 0;
    size_t got;
    while ((got = fread(buffer, 1, sizeof buffer, stdin)) > 0) {
        bytes += got;
        for (size_t i = 0; i < got; i++) {
            lines += buffer[i] == '\n';
            int space = isspace(buffer[i]) != 0;
            words += !space && !inside;
            inside = !space;
        }
    }
    printf("%lu %lu %lu\n", lines, words, bytes);
    return ferror(stdin) ? 1 : 0;
}
