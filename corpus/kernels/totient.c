// Sum of Euler's totients by a sieve. Held out. Control: data. Sizes: 500 5000 50000.
#include <stdio.h>
#include <stdlib.h>
#ifndef N
#define N 5000
#endif
int main(void) {
    int *phi = malloc((N + 1) * sizeof *phi);
    long long sum = 0;
    for (int i = 0; i <= N; i++) phi[i] = i;
    for (int p = 2; p <= N; p++)
        if (phi[p] == p)
            for (int m = p; m <= N; m += p) phi[m] -= phi[m] / p;
    for (int i = 1; i <= N; i++) sum += phi[i];
    printf("%lld\n", sum);
    free(phi);
    return 0;
}
