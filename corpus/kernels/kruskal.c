// Minimum spanning tree: edges sorted with qsort, union by rank. Held out later. Control: data. Sizes: 60 600 6000.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#ifndef N
#define N 600
#endif
struct edge { uint32_t weight; int a, b; };
static struct edge edges[3 * N];
static int parent[N], rank[N];
static int compare(const void *x, const void *y) {
    const struct edge *a = x, *b = y;
    return (a->weight > b->weight) - (a->weight < b->weight);
}
static int find(int v) {
    if (parent[v] != v) parent[v] = find(parent[v]);
    return parent[v];
}
int main(void) {
    uint32_t x = 7;
    for (int i = 0; i < 3 * N; i++) {
        edges[i].weight = (x = x * 1664525u + 1013904223u) >> 12;
        edges[i].a = i % N;
        edges[i].b = (int)((x >> 5) % N);
    }
    for (int i = 0; i < N; i++) parent[i] = i;
    qsort(edges, 3 * N, sizeof *edges, compare);
    uint64_t total = 0;
    int taken = 0;
    for (int i = 0; i < 3 * N && taken < N - 1; i++) {
        int a = find(edges[i].a), b = find(edges[i].b);
        if (a == b) continue;
        if (rank[a] < rank[b]) { int t = a; a = b; b = t; }
        parent[b] = a;
        rank[a] += rank[a] == rank[b];
        total += edges[i].weight;
        taken++;
    }
    printf("%d %llu\n", taken, (unsigned long long)total);
    return 0;
}
