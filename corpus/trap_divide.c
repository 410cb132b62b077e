// Divides by a zero that the compiler cannot see.
#include <stdio.h>

int main(int argc, char **argv) {
    (void)argv;
    volatile int zero = argc - argc, thousand = 1000;
    printf("%d\n", thousand / zero);
    return 0;
}
