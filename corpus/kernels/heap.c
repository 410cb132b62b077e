// Heapsort. Control: data. Sizes: 300 3000 30000.
#include <stdio.h>
#ifndef N
#define N 3000
#endif
static double v[N];
static void sift(double *a, int root, int n) {
    double x = a[root];
    int child;
    while ((child = 2 * root + 1) < n) {
        if (child + 1 < n && a[child + 1] > a[child]) child++;
        if (x >= a[child]) break;
        a[root] = a[child];
        root = child;
    }
    a[root] = x;
}
int main(void) {
    unsigned x = 12345;
    for (int i = 0; i < N; i++) v[i] = (x = x * 22695477u + 1) / 4294967296.0;
    for (int i = N / 2 - 1; i >= 0; i--) sift(v, i, N);
    for (int i = N - 1; i > 0; i--) {
        double t = v[0];
        v[0] = v[i];
        v[i] = t;
        sift(v, 0, i);
    }
    printf("%.6f %.6f\n", v[0], v[N - 1]);
    return 0;
}
