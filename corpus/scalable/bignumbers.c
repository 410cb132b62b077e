// Schoolbook product of numbers of n digits. Growth: n^2. Runs: 100 200 300 400 600 > 6400.
#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv) {
    if (argc < 2) return 2;
    long n = atol(argv[1]);
    unsigned *a = malloc(n * sizeof *a), *c = calloc(2 * n, sizeof *c);
    for (long i = 0; i < n; i++) a[i] = (i * 7919 + 13) & 0xffff;
    for (long i = 0; i < n; i++) {
        unsigned carry = 0;
        for (long j = 0; j < n; j++) {
            unsigned t = a[i] * a[j] + c[i + j] + carry;
            c[i + j] = t & 0xffff, carry = t >> 16;
        }
        c[i + n] = carry;
    }
    printf("%u\n", c[n]);
    return 0;
}
