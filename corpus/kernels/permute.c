// All permutations of a few numbers by recursion. Control: data. Sizes: 5 6 8.
#include <stdio.h>
#ifndef N
#define N 6
#endif
static int v[N];
static long count, sum;
static void visit(int k) {
    if (k == N) {
        count++;
        sum += v[0] * v[N - 1];
        return;
    }
    for (int i = k; i < N; i++) {
        int t = v[k];
        v[k] = v[i];
        v[i] = t;
        visit(k + 1);
        t = v[k];
        v[k] = v[i];
        v[i] = t;
    }
}
int main(void) {
    for (int i = 0; i < N; i++) v[i] = i + 1;
    visit(0);
    printf("%ld %ld\n", count, sum);
    return 0;
}
