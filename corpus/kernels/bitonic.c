// Bitonic sorting network. Held out later. Control: data. Sizes: 128 1024 8192.
#include <stdio.h>
#ifndef N
#define N 1024
#endif
static int a[N];
int main(void) {
    unsigned x = 12345;
    for (int i = 0; i < N; i++) a[i] = (int)((x = x * 1103515245u + 12345u) >> 8);
    for (int k = 2; k <= N; k *= 2)
        for (int j = k / 2; j > 0; j /= 2)
            for (int i = 0; i < N; i++) {
                int other = i ^ j;
                if (other > i && ((i & k) == 0) == (a[i] > a[other])) {
                    int t = a[i];
                    a[i] = a[other];
                    a[other] = t;
                }
            }
    int sorted = 1;
    for (int i = 1; i < N; i++) sorted &= a[i - 1] <= a[i];
    printf("%d %d\n", N, sorted);
    return 0;
}
