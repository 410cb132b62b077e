// Sieve of Eratosthenes. Growth: n log log n. Runs: 5000 10000 20000 40000 80000 > 8000000.
#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv) {
    if (argc < 2) return 2;
    long n = atol(argv[1]);
    char *composite = calloc(n + 1, 1);
    long count = 0;
    for (long i = 2; i <= n; i++) {
        if (composite[i]) continue;
        count++;
        if (i > n / i) continue;
        for (long j = i * i; j <= n; j += i) composite[j] = 1;
    }
    printf("%ld\n", count);
    return 0;
}
