// Sieve of Eratosthenes. Control: data. Sizes: 3000 30000 300000.
#include <stdio.h>
#include <string.h>
#ifndef N
#define N 30000
#endif
static unsigned char composite[N + 1];
int main(void) {
    for (int i = 2; (long)i * i <= N; i++)
        if (!composite[i])
            for (int j = i * i; j <= N; j += i) composite[j] = 1;
    int count = 0;
    for (int i = 2; i <= N; i++) count += !composite[i];
    printf("%d\n", count);
    return 0;
}
