// Counts the primes below two million with Eratosthenes' sieve: strided stores.
#include <stdio.h>
#include <string.h>

#define LIMIT 2000000

static unsigned char composite[LIMIT];

int main(void) {
    int primes = 0;
    for (int i = 2; i < LIMIT; i++) {
        if (composite[i]) continue;
        primes++;
        for (long long j = (long long)i * i; j < LIMIT; j += i) composite[j] = 1;
    }
    printf("%d primes\n", primes);
    return 0;
}
