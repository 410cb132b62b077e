// Escape times of a Julia set. Held out. Control: data. Sizes: 16 50 160.
#include <stdio.h>
#ifndef N
#define N 50
#endif
static int escape(double x, double y) {
    int n = 0;
    for (; n < 100; n++) {
        double xx = x * x, yy = y * y;
        if (xx + yy > 4.0) break;
        y = 2 * x * y + 0.1889;
        x = xx - yy - 0.7269;
    }
    return n;
}
int main(void) {
    long total = 0;
    int inside = 0;
    for (int j = 0; j < N; j++)
        for (int i = 0; i < N; i++) {
            int n = escape(-1.5 + 3.0 * i / N, -1.5 + 3.0 * j / N);
            total += n;
            inside += n == 100;
        }
    printf("%ld %d\n", total, inside);
    return 0;
}
