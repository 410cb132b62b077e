// Shortest paths over a list of edges until nothing changes. Held out fourth. Control: data. Sizes: 30 150 800.
#include <stdint.h>
#include <stdio.h>
#ifndef N
#define N 150
#endif
#define EDGES (5 * N)
struct edge { int from, to, weight; };
static struct edge edges[EDGES];
static int distance[N];
int main(void) {
    uint32_t seed = 31;
    for (int e = 0; e < EDGES; e++) {
        seed = seed * 1664525u + 1013904223u;
        edges[e].from = (int)(seed >> 10) % N;
        seed = seed * 1664525u + 1013904223u;
        edges[e].to = (int)(seed >> 10) % N;
        edges[e].weight = 1 + (int)(seed >> 20) % 100;
    }
    for (int i = 0; i < N; i++) distance[i] = i ? 1 << 29 : 0;
    int changed = 1, rounds = 0;
    while (changed && rounds < N) {
        changed = 0;
        rounds++;
        for (int e = 0; e < EDGES; e++) {
            int through = distance[edges[e].from] + edges[e].weight;
            if (through < distance[edges[e].to]) {
                distance[edges[e].to] = through;
                changed = 1;
            }
        }
    }
    long sum = 0;
    for (int i = 0; i < N; i++) sum += distance[i] < 1 << 29 ? distance[i] : 0;
    printf("%ld %d\n", sum, rounds);
    return 0;
}
