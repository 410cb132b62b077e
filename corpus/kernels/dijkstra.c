// Shortest paths from one node, dense graph, linear search for the nearest. Control: data. Sizes: 30 100 300.
#include <limits.h>
#include <stdio.h>
#ifndef N
#define N 100
#endif
static int edge[N][N], dist[N];
static char done[N];
int main(void) {
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) edge[i][j] = (i * 31 + j * 17) % 97 + 1;
    for (int i = 0; i < N; i++) dist[i] = INT_MAX;
    dist[0] = 0;
    for (int r = 0; r < N; r++) {
        int at = -1;
        for (int i = 0; i < N; i++)
            if (!done[i] && (at < 0 || dist[i] < dist[at])) at = i;
        done[at] = 1;
        for (int i = 0; i < N; i++)
            if (!done[i] && dist[at] + edge[at][i] < dist[i]) dist[i] = dist[at] + edge[at][i];
    }
    long sum = 0;
    for (int i = 0; i < N; i++) sum += dist[i];
    printf("%ld\n", sum);
    return 0;
}
