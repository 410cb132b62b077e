// Binary searches in a sorted array. Control: data. Sizes: 300 3000 30000.
#include <stdio.h>
#ifndef N
#define N 3000
#endif
static int v[N];
static int find(const int *a, int n, int key) {
    int low = 0, high = n - 1;
    while (low <= high) {
        int mid = low + (high - low) / 2;
        if (a[mid] == key) return mid;
        if (a[mid] < key) low = mid + 1;
        else high = mid - 1;
    }
    return -1;
}
int main(void) {
    for (int i = 0; i < N; i++) v[i] = 3 * i + 1;
    int hits = 0;
    for (int i = 0; i < 3 * N; i++) hits += find(v, N, i) >= 0;
    printf("%d\n", hits);
    return 0;
}
