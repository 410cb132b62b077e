// Primes by trial division. Growth: n^1.5 / log n. Runs: 500 1000 2000 4000 8000 > 240000.
#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv) {
    if (argc < 2) return 2;
    long n = atol(argv[1]);
    long count = 0;
    for (unsigned i = 2; i <= (unsigned)n; i++) {
        int prime = 1;
        for (unsigned d = 2; d * d <= i && prime; d++) prime = i % d != 0;
        count += prime;
    }
    printf("%ld\n", count);
    return 0;
}
