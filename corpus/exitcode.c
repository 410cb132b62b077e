// Says on standard error that it ends, and ends with the code given as its argument.
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
    int code = argc > 1 ? atoi(argv[1]) : 42;
    fprintf(stderr, "ending with %d\n", code);
    return code;
}
