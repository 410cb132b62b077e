// Insertion sort. Control: data. Sizes: 100 320 1000.
#include <stdio.h>
#ifndef N
#define N 320
#endif
static int v[N];
int main(void) {
    unsigned seed = 3;
    for (int i = 0; i < N; i++) v[i] = (seed = seed * 1103515245u + 12345u) >> 17;
    for (int i = 1; i < N; i++) {
        int x = v[i], j = i - 1;
        while (j >= 0 && v[j] > x) {
            v[j + 1] = v[j];
            j--;
        }
        v[j + 1] = x;
    }
    long sum = 0;
    for (int i = 0; i < N; i++) sum += (long)v[i] * i;
    printf("%ld\n", sum);
    return 0;
}
