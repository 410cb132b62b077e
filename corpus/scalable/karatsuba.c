// Product of polynomials of n terms by Karatsuba's method. Growth: n^1.585. Runs: 32 64 128 256 512 > 16384.
#include <stdio.h>
#include <stdlib.h>
static void multiply(const int *a, const int *b, int *c, int *room, long n) {
    if (n <= 8) {
        for (long i = 0; i < 2 * n; i++) c[i] = 0;
        for (long i = 0; i < n; i++)
            for (long j = 0; j < n; j++) c[i + j] += a[i] * b[j];
        return;
    }
    long h = n / 2;
    int *sa = room, *sb = room + h, *middle = room + n, *rest = room + 2 * n;
    for (long i = 0; i < h; i++) sa[i] = a[i] + a[i + h], sb[i] = b[i] + b[i + h];
    multiply(sa, sb, middle, rest, h);
    multiply(a, b, c, rest, h);
    multiply(a + h, b + h, c + n, rest, h);
    for (long i = 0; i < n; i++) middle[i] -= c[i] + c[i + n];
    for (long i = 0; i < n; i++) c[i + h] += middle[i];
}
int main(int argc, char **argv) {
    if (argc < 2) return 2;
    long n = atol(argv[1]);
    int *a = malloc(n * sizeof *a), *c = calloc(2 * n, sizeof *c), *room = malloc(8 * n * sizeof *room);
    for (long i = 0; i < n; i++) a[i] = i % 10;
    multiply(a, a, c, room, n);
    printf("%d\n", c[n]);
    return 0;
}
