// Partitions of numbers by generalised pentagonal numbers and by a table. Held out later. Control: fixed. Sizes: 60 200 640.
#include <stdint.h>
#include <stdio.h>
#ifndef N
#define N 200
#endif
static uint64_t p[N + 1], table[N + 1];
int main(void) {
    p[0] = 1;
    for (int n = 1; n <= N; n++) {
        uint64_t sum = 0;
        for (int k = 1;; k++) {
            int g = k * (3 * k - 1) / 2;
            if (g > n) break;
            uint64_t term = p[n - g];
            if (g + k <= n) term += p[n - g - k];
            sum += k % 2 ? term : -term;
        }
        p[n] = sum;
    }
    table[0] = 1;
    for (int part = 1; part <= N; part++)
        for (int n = part; n <= N; n++) table[n] += table[n - part];
    printf("%llu %d\n", (unsigned long long)p[N], p[N] == table[N]);
    return 0;
}
