// Range minima and point updates in a segment tree. Held out fourth. Control: data. Sizes: 128 1000 8000.
#include <stdint.h>
#include <stdio.h>
#ifndef N
#define N 1000
#endif
static int tree[2 * N];
static uint32_t seed = 777;
static uint32_t draw(void) { return seed = seed * 22695477u + 1; }
static int least(int left, int right) {
    int found = 1 << 30;
    for (left += N, right += N; left < right; left /= 2, right /= 2) {
        if (left & 1) {
            if (tree[left] < found) found = tree[left];
            left++;
        }
        if (right & 1) {
            right--;
            if (tree[right] < found) found = tree[right];
        }
    }
    return found;
}
int main(void) {
    for (int i = 0; i < N; i++) tree[N + i] = (int)(draw() >> 12);
    for (int i = N - 1; i > 0; i--) tree[i] = tree[2 * i] < tree[2 * i + 1] ? tree[2 * i] : tree[2 * i + 1];
    long sum = 0;
    for (int q = 0; q < N; q++) {
        int a = (int)(draw() >> 8) % N, b = (int)(draw() >> 8) % N;
        sum += a < b ? least(a, b + 1) : least(b, a + 1);
        int at = N + (int)(draw() >> 8) % N;
        tree[at] = (int)(draw() >> 12);
        while (at > 1) {
            at /= 2;
            tree[at] = tree[2 * at] < tree[2 * at + 1] ? tree[2 * at] : tree[2 * at + 1];
        }
    }
    printf("%ld\n", sum);
    return 0;
}
