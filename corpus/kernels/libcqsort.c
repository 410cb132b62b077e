// The C library's qsort through a comparison function. Control: data. Sizes: 300 3000 30000.
#include <stdio.h>
#include <stdlib.h>
#ifndef N
#define N 3000
#endif
static int compare(const void *a, const void *b) {
    int x = *(const int *)a, y = *(const int *)b;
    return (x > y) - (x < y);
}
int main(void) {
    static int v[N];
    srand(1);
    for (int i = 0; i < N; i++) v[i] = rand() % 1000000;
    qsort(v, N, sizeof v[0], compare);
    printf("%d %d\n", v[0], v[N - 1]);
    return 0;
}
