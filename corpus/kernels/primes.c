// Counts primes by trial division. Control: data. Sizes: 300 3000 30000.
#include <stdio.h>
#ifndef N
#define N 3000
#endif
static int prime(unsigned n) {
    if (n % 2 == 0) return n == 2;
    for (unsigned d = 3; d * d <= n; d += 2)
        if (n % d == 0) return 0;
    return n > 1;
}
int main(void) {
    int count = 0;
    for (unsigned n = 2; n < N; n++) count += prime(n);
    printf("%d\n", count);
    return 0;
}
