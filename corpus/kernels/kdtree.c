// A k-d tree in an array, and nearest neighbours by it. Held out third. Control: data. Sizes: 50 500 5000.
#include <stdio.h>
#ifndef N
#define N 500
#endif
struct point { float at[2]; };
static struct point points[N];
static unsigned seed = 99;
static float draw(void) {
    seed = seed * 1664525u + 1013904223u;
    return (float)(seed >> 8) / 16777216.0f;
}
static void swap(int i, int j) {
    struct point t = points[i];
    points[i] = points[j];
    points[j] = t;
}
static void build(int low, int high, int axis) {
    if (high - low < 2) return;
    int middle = (low + high) / 2, from = low, to = high - 1;
    while (from < to) {
        float pivot = points[(from + to) / 2].at[axis];
        int i = from, j = to;
        while (i <= j) {
            while (points[i].at[axis] < pivot) i++;
            while (points[j].at[axis] > pivot) j--;
            if (i <= j) swap(i++, j--);
        }
        if (middle <= j) to = j;
        else if (middle >= i) from = i;
        else break;
    }
    build(low, middle, !axis);
    build(middle + 1, high, !axis);
}
static int visited;
static void nearest(int low, int high, int axis, const float *q, float *best) {
    if (low >= high) return;
    visited++;
    int middle = (low + high) / 2;
    float dx = q[0] - points[middle].at[0], dy = q[1] - points[middle].at[1], d = dx * dx + dy * dy;
    if (d < *best) *best = d;
    float side = q[axis] - points[middle].at[axis];
    if (side < 0) {
        nearest(low, middle, !axis, q, best);
        if (side * side < *best) nearest(middle + 1, high, !axis, q, best);
    } else {
        nearest(middle + 1, high, !axis, q, best);
        if (side * side < *best) nearest(low, middle, !axis, q, best);
    }
}
int main(void) {
    for (int i = 0; i < N; i++) points[i] = (struct point){{draw(), draw()}};
    build(0, N, 0);
    float sum = 0;
    for (int k = 0; k < N; k++) {
        float q[2] = {draw(), draw()}, best = 9;
        nearest(0, N, 0, q, &best);
        sum += best;
    }
    printf("%g %d\n", sum, visited);
    return 0;
}
