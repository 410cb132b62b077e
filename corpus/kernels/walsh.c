// Walsh-Hadamard transform there and back. Held out fourth. Control: fixed. Sizes: 128 1024 8192.
#include <stdio.h>
#ifndef N
#define N 1024
#endif
static int a[N];
static void transform(void) {
    for (int half = 1; half < N; half *= 2)
        for (int base = 0; base < N; base += 2 * half)
            for (int i = base; i < base + half; i++) {
                int x = a[i], y = a[i + half];
                a[i] = x + y;
                a[i + half] = x - y;
            }
}
int main(void) {
    for (int i = 0; i < N; i++) a[i] = (i * 37) % 101 - 50;
    transform();
    long energy = 0;
    for (int i = 0; i < N; i++) energy += (long)a[i] * a[i] % 1009;
    transform();
    for (int i = 0; i < N; i++) energy += a[i] / N;
    printf("%ld\n", energy);
    return 0;
}
