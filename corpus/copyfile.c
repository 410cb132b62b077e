// Copies one file to another in upper case, and says how many bytes: reads and writes in a directory given to it.
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: copyfile FROM TO\n");
        return 2;
    }
    FILE *from = fopen(argv[1], "rb");
    if (!from) {
        fprintf(stderr, "copyfile: %s: %s\n", argv[1], strerror(errno));
        return 1;
    }
    FILE *to = fopen(argv[2], "wb");
    if (!to) {
        fprintf(stderr, "copyfile: %s: %s\n", argv[2], strerror(errno));
        return 1;
    }
    unsigned long bytes = 0;
    for (int c; (c = getc(from)) != EOF; bytes++) putc(toupper(c), to);
    fclose(from);
    if (fclose(to) != 0) return 1;
    printf("%lu bytes\n", bytes);
    return 0;
}
