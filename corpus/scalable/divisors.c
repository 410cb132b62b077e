// Greatest common divisors of all pairs. Growth: n^2 log n. Runs: 30 60 90 120 180 > 1800.
#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv) {
    if (argc < 2) return 2;
    long n = atol(argv[1]);
    long sum = 0;
    for (unsigned i = 1; i <= (unsigned)n; i++)
        for (unsigned j = 1; j <= (unsigned)n; j++) {
            unsigned a = i, b = j;
            while (b) { unsigned t = a % b; a = b; b = t; }
            sum += a;
        }
    printf("%ld\n", sum);
    return 0;
}
