// Prints n numbers. Growth: n log n. Runs: 200 400 600 1000 1600 > 180000.
#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv) {
    if (argc < 2) return 2;
    long n = atol(argv[1]);
    for (long i = 0; i < n; i++) printf("%ld\n", i * i);
    return 0;
}
