// Sieve of odd numbers in a bit set. Control: data. Sizes: 3000 30000 300000.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#ifndef N
#define N 30000
#endif
int main(void) {
    uint32_t *bits = calloc(N / 64 + 1, 4);
    int primes = 1;
    for (int i = 3; i < N; i += 2) {
        if (bits[i / 64] >> (i / 2 % 32) & 1) continue;
        primes++;
        for (long j = (long)i * i; j < N; j += 2 * i) bits[j / 64] |= 1u << (j / 2 % 32);
    }
    printf("%d primes below %d\n", primes, N);
    return 0;
}
