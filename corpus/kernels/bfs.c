// Breadth-first search over a grid with walls. Control: data. Sizes: 20 60 180.
#include <stdio.h>
#include <string.h>
#ifndef N
#define N 60
#endif
static char wall[N][N];
static int dist[N][N], queue[N * N];
int main(void) {
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) wall[i][j] = (i * 7 + j * 13) % 11 == 0 && i != j;
    memset(dist, -1, sizeof dist);
    static const int dx[] = {1, -1, 0, 0}, dy[] = {0, 0, 1, -1};
    int head = 0, tail = 0, far = 0;
    queue[tail++] = 0;
    dist[0][0] = 0;
    while (head < tail) {
        int at = queue[head++], x = at / N, y = at % N;
        if (dist[x][y] > far) far = dist[x][y];
        for (int d = 0; d < 4; d++) {
            int u = x + dx[d], w = y + dy[d];
            if (u < 0 || w < 0 || u >= N || w >= N || wall[u][w] || dist[u][w] >= 0) continue;
            dist[u][w] = dist[x][y] + 1;
            queue[tail++] = u * N + w;
        }
    }
    printf("%d %d\n", far, tail);
    return 0;
}
