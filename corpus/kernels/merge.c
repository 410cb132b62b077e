// Merge sort, top-down recursion. Control: data. Sizes: 300 3000 30000.
#include <stdio.h>
#ifndef N
#define N 3000
#endif
static int v[N], t[N];
static void sort(int low, int high) {
    if (high - low < 2) return;
    int mid = low + (high - low) / 2;
    sort(low, mid);
    sort(mid, high);
    int i = low, j = mid, k = low;
    while (i < mid && j < high) t[k++] = v[i] <= v[j] ? v[i++] : v[j++];
    while (i < mid) t[k++] = v[i++];
    while (j < high) t[k++] = v[j++];
    for (k = low; k < high; k++) v[k] = t[k];
}
int main(void) {
    unsigned x = 1;
    for (int i = 0; i < N; i++) {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        v[i] = x % 1000003;
    }
    sort(0, N);
    printf("%d %d\n", v[0], v[N - 1]);
    return 0;
}
