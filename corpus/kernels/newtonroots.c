// Integer roots by Newton's method until they settle. Held out fourth. Control: data. Sizes: 300 3000 30000.
#include <stdint.h>
#include <stdio.h>
#ifndef N
#define N 3000
#endif
static uint64_t root(uint64_t n) {
    uint64_t x = n, y = (x + 1) / 2;
    while (y < x) {
        x = y;
        y = (x + n / x) / 2;
    }
    return x;
}
int main(void) {
    uint64_t sum = 0, squares = 0;
    for (uint64_t i = 1; i <= N; i++) {
        uint64_t n = i * i * 7 + i * 13, r = root(n);
        sum += r;
        squares += r * r == n;
    }
    printf("%llu %llu\n", (unsigned long long)sum, (unsigned long long)squares);
    return 0;
}
