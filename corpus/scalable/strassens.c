// Matrix product by Strassen's method. Growth: n^2.807. Runs: 4 8 16 32 64 > 512.
#include <stdio.h>
#include <stdlib.h>
static int *part(const int *a, const int *b, int sign, long n, int pa, int pb) {
    long h = n / 2;
    int *out = malloc(h * h * sizeof *out);
    const int *x = a + (pa / 2) * h * n + (pa % 2) * h, *y = b ? b + (pb / 2) * h * n + (pb % 2) * h : 0;
    for (long i = 0; i < h; i++)
        for (long j = 0; j < h; j++) out[i * h + j] = x[i * n + j] + (y ? sign * y[i * n + j] : 0);
    return out;
}
static void multiply(const int *a, const int *b, int *c, long n) {
    if (n <= 2) {
        for (long i = 0; i < n; i++)
            for (long j = 0; j < n; j++) {
                int sum = 0;
                for (long k = 0; k < n; k++) sum += a[i * n + k] * b[k * n + j];
                c[i * n + j] = sum;
            }
        return;
    }
    long h = n / 2;
    int *m[7];
    const int plan[7][6] = {{0, 3, 1, 0, 3, 1}, {2, 3, 1, 0, -1, 1}, {0, -1, 1, 1, 3, -1}, {3, -1, 1, 2, 0, -1},
                            {0, 1, 1, 3, -1, 1}, {2, 0, -1, 0, 1, 1}, {1, 3, -1, 2, 3, 1}};
    for (int p = 0; p < 7; p++) {
        int *x = part(a, plan[p][1] < 0 ? 0 : a, plan[p][2], n, plan[p][0], plan[p][1]);
        int *y = part(b, plan[p][4] < 0 ? 0 : b, plan[p][5], n, plan[p][3], plan[p][4]);
        m[p] = malloc(h * h * sizeof *m[p]);
        multiply(x, y, m[p], h);
        free(x);
        free(y);
    }
    for (long i = 0; i < h; i++)
        for (long j = 0; j < h; j++) {
            long at = i * h + j;
            c[i * n + j] = m[0][at] + m[3][at] - m[4][at] + m[6][at];
            c[i * n + j + h] = m[2][at] + m[4][at];
            c[(i + h) * n + j] = m[1][at] + m[3][at];
            c[(i + h) * n + j + h] = m[0][at] - m[1][at] + m[2][at] + m[5][at];
        }
    for (int p = 0; p < 7; p++) free(m[p]);
}
int main(int argc, char **argv) {
    if (argc < 2) return 2;
    long n = atol(argv[1]);
    int *a = malloc(n * n * sizeof *a), *c = malloc(n * n * sizeof *c);
    for (long i = 0; i < n * n; i++) a[i] = i % 7;
    multiply(a, a, c, n);
    printf("%d\n", c[n + 1]);
    return 0;
}
