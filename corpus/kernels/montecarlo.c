// Pi by random points. Control: data. Sizes: 1000 10000 100000.
#include <stdint.h>
#include <stdio.h>
#ifndef N
#define N 10000
#endif
static uint64_t state = 88172645463325252u;
static double uniform(void) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (double)(state >> 11) / 9007199254740992.0;
}
int main(void) {
    int inside = 0;
    for (int i = 0; i < N; i++) {
        double x = uniform(), y = uniform();
        if (x * x + y * y <= 1.0) inside++;
    }
    printf("%.6f\n", 4.0 * inside / N);
    return 0;
}
