// Topological order and longest path of a random acyclic graph of lists. Held out later. Control: data. Sizes: 100 1000 10000.
#include <stdio.h>
#include <stdlib.h>
#ifndef N
#define N 1000
#endif
struct edge { int to; struct edge *next; };
static struct edge *out[N];
static int degree[N], longest[N], queue[N];
int main(void) {
    unsigned x = 99;
    for (int e = 0; e < 4 * N; e++) {
        int a = (int)((x = x * 1664525u + 1013904223u) >> 8) % N, b = (int)((x = x * 1664525u + 1013904223u) >> 8) % N;
        if (a == b) continue;
        if (a > b) { int t = a; a = b; b = t; }
        struct edge *edge = malloc(sizeof *edge);
        *edge = (struct edge){b, out[a]};
        out[a] = edge;
        degree[b]++;
    }
    int head = 0, tail = 0, best = 0;
    for (int i = 0; i < N; i++)
        if (!degree[i]) queue[tail++] = i;
    while (head < tail) {
        int node = queue[head++];
        for (struct edge *e = out[node]; e; e = e->next) {
            if (longest[node] + 1 > longest[e->to]) longest[e->to] = longest[node] + 1;
            if (--degree[e->to] == 0) queue[tail++] = e->to;
        }
        if (longest[node] > best) best = longest[node];
    }
    printf("%d %d\n", tail, best);
    return 0;
}
