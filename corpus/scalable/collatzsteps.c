// Steps to one of every number up to n (Collatz). Growth: n log n, irregular. Runs: 500 1000 2000 4000 8000 > 600000.
#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv) {
    if (argc < 2) return 2;
    long n = atol(argv[1]);
    long steps = 0;
    for (long i = 1; i <= n; i++)
        for (unsigned long long x = i; x != 1; x = x & 1 ? 3 * x + 1 : x >> 1) steps++;
    printf("%ld\n", steps);
    return 0;
}
