// Quicksort, recursive, middle pivot. Control: data. Sizes: 300 3000 30000.
#include <stdio.h>
#ifndef N
#define N 3000
#endif
static int v[N];
static void sort(int *a, int low, int high) {
    int i = low, j = high, pivot = a[(low + high) / 2];
    while (i <= j) {
        while (a[i] < pivot) i++;
        while (a[j] > pivot) j--;
        if (i <= j) {
            int t = a[i];
            a[i++] = a[j];
            a[j--] = t;
        }
    }
    if (low < j) sort(a, low, j);
    if (i < high) sort(a, i, high);
}
int main(void) {
    unsigned x = 42;
    for (int i = 0; i < N; i++) {
        x = x * 1664525u + 1013904223u;
        v[i] = (int)(x >> 8) % 100000;
    }
    sort(v, 0, N - 1);
    printf("%d %d %d\n", v[0], v[N / 2], v[N - 1]);
    return 0;
}
