// Counting sort of records by a key. Held out. Control: fixed. Sizes: 500 5000 50000.
#include <stdio.h>
#ifndef N
#define N 5000
#endif
#define KEYS 128
struct record { unsigned key, payload; };
static struct record a[N], b[N];
static void fill(struct record *r, int n) {
    unsigned x = 1;
    for (int i = 0; i < n; i++) {
        x = 69069 * x + 1;
        r[i].key = x >> 25;
        r[i].payload = i;
    }
}
static void sort(const struct record *from, struct record *to, int n) {
    int count[KEYS] = {0};
    for (int i = 0; i < n; i++) count[from[i].key]++;
    int total = 0;
    for (int k = 0; k < KEYS; k++) {
        int c = count[k];
        count[k] = total;
        total += c;
    }
    for (int i = 0; i < n; i++) to[count[from[i].key]++] = from[i];
}
int main(void) {
    fill(a, N);
    sort(a, b, N);
    printf("%u %u %u\n", b[0].key, b[N / 2].key, b[N - 1].payload);
    return 0;
}
