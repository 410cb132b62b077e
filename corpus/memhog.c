// Takes and touches memory, MiB by MiB, up to the number given (default: without end), and says what it got.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Without it a compiler may see that nothing is read, and take nothing.
static char *volatile kept;

int main(int argc, char **argv) {
    unsigned long limit = argc > 1 ? strtoul(argv[1], NULL, 10) : ~0ul, got = 0;
    while (got < limit) {
        char *piece = malloc(1 << 20);
        if (!piece) {
            printf("refused after %lu MiB\n", got);
            return 1;
        }
        memset(piece, (int)got + 1, 1 << 20);
        kept = piece;
        got++;
    }
    printf("took %lu MiB\n", got);
    return 0;
}
