// PageRank over a graph in compressed rows. Held out. Control: fixed. Sizes: 60 600 6000.
#include <stdio.h>
#include <stdlib.h>
#ifndef N
#define N 600
#endif
#define DEGREE 6
typedef struct { int n; int *start, *to; } graph;
static graph build(int n) {
    graph g = {n, malloc((n + 1) * sizeof(int)), malloc(n * DEGREE * sizeof(int))};
    int e = 0;
    for (int i = 0; i < n; i++) {
        g.start[i] = e;
        for (int d = 1; d <= DEGREE; d++) g.to[e++] = (i * d + 3 * d) % n;
    }
    g.start[n] = e;
    return g;
}
static void iterate(const graph *g, const double *rank, double *next) {
    for (int i = 0; i < g->n; i++) next[i] = 0.15 / g->n;
    for (int i = 0; i < g->n; i++) {
        double share = 0.85 * rank[i] / (g->start[i + 1] - g->start[i]);
        for (int e = g->start[i]; e < g->start[i + 1]; e++) next[g->to[e]] += share;
    }
}
int main(void) {
    graph g = build(N);
    double *a = malloc(N * sizeof *a), *b = malloc(N * sizeof *b);
    for (int i = 0; i < N; i++) a[i] = 1.0 / N;
    for (int round = 0; round < 10; round++) {
        iterate(&g, a, b);
        double *t = a; a = b; b = t;
    }
    printf("%.8f %.8f\n", a[0], a[N - 1]);
    return 0;
}
