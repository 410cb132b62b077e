// Triples in rising order (a triangular nest). Growth: n^3. Runs: 20 40 60 80 120 > 560.
#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv) {
    if (argc < 2) return 2;
    long n = atol(argv[1]);
    long count = 0;
    for (long i = 0; i < n; i++)
        for (long j = i; j < n; j++)
            for (long k = j; k < n; k++) count += (i ^ j ^ k) & 1;
    printf("%ld\n", count);
    return 0;
}
