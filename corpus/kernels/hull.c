// Convex hull of points by monotone chains, sorted by the C library. Held out fourth. Control: data. Sizes: 100 1000 10000.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#ifndef N
#define N 1000
#endif
struct point { int x, y; };
static struct point points[N], chain[2 * N];
static int before(const void *a, const void *b) {
    const struct point *p = a, *q = b;
    return p->x != q->x ? (p->x < q->x ? -1 : 1) : p->y < q->y ? -1 : p->y > q->y;
}
static long turn(struct point o, struct point a, struct point b) {
    return (long)(a.x - o.x) * (b.y - o.y) - (long)(a.y - o.y) * (b.x - o.x);
}
int main(void) {
    uint32_t seed = 8;
    for (int i = 0; i < N; i++) {
        seed = seed * 1103515245u + 12345;
        points[i].x = (int)(seed >> 8) % 10000;
        seed = seed * 1103515245u + 12345;
        points[i].y = (int)(seed >> 8) % 10000;
    }
    qsort(points, N, sizeof *points, before);
    int count = 0;
    for (int i = 0; i < N; i++) {
        while (count >= 2 && turn(chain[count - 2], chain[count - 1], points[i]) <= 0) count--;
        chain[count++] = points[i];
    }
    for (int i = N - 2, lower = count + 1; i >= 0; i--) {
        while (count >= lower && turn(chain[count - 2], chain[count - 1], points[i]) <= 0) count--;
        chain[count++] = points[i];
    }
    printf("%d\n", count - 1);
    return 0;
}
