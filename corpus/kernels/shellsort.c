// Shell sort with halving gaps. Control: data. Sizes: 300 3000 30000.
#include <stdio.h>
#ifndef N
#define N 3000
#endif
static short v[N];
int main(void) {
    for (int i = 0; i < N; i++) v[i] = (short)((i * 7919) % 10007);
    for (int gap = N / 2; gap > 0; gap /= 2)
        for (int i = gap; i < N; i++) {
            short x = v[i];
            int j = i;
            for (; j >= gap && v[j - gap] > x; j -= gap) v[j] = v[j - gap];
            v[j] = x;
        }
    printf("%d %d\n", v[1], v[N - 2]);
    return 0;
}
