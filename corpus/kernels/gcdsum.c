// Sum of greatest common divisors (Euclid). Control: data. Sizes: 20 60 200.
#include <stdio.h>
#ifndef N
#define N 60
#endif
static unsigned gcd(unsigned a, unsigned b) {
    while (b) {
        unsigned t = a % b;
        a = b;
        b = t;
    }
    return a;
}
int main(void) {
    unsigned sum = 0;
    for (unsigned i = 1; i <= N; i++)
        for (unsigned j = 1; j <= N; j++) sum += gcd(i, j);
    printf("%u\n", sum);
    return 0;
}
