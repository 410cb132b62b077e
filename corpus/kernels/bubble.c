// Bubble sort that stops when nothing moved. Control: data. Sizes: 60 200 600.
#include <stdio.h>
#ifndef N
#define N 200
#endif
static int v[N];
int main(void) {
    unsigned x = 11;
    for (int i = 0; i < N; i++) v[i] = (x = x * 1103515245 + 12345) >> 20;
    int n = N, swapped, passes = 0;
    do {
        swapped = 0;
        for (int i = 1; i < n; i++)
            if (v[i - 1] > v[i]) {
                int t = v[i];
                v[i] = v[i - 1];
                v[i - 1] = t;
                swapped = 1;
            }
        n--;
        passes++;
    } while (swapped);
    printf("%d %d %d\n", v[0], v[N - 1], passes);
    return 0;
}
