// A maze dug at random, and the shortest way through it by A*. Held out third. Control: data. Sizes: 11 35 111.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#ifndef N
#define N 35
#endif
static uint8_t open[N][N], done[N][N];
static int cost[N][N];
struct entry { int priority, cell; };
static struct entry heap[4 * N * N];
static int size;
static uint32_t seed = 2463534242u;
static uint32_t draw(void) {
    seed ^= seed << 13;
    seed ^= seed >> 17;
    return seed ^= seed << 5;
}
static void dig(int y, int x) {
    static const int dy[] = {0, 0, 2, -2}, dx[] = {2, -2, 0, 0};
    open[y][x] = 1;
    unsigned turn = draw();
    for (unsigned k = 0; k < 4; k++) {
        int way = (k + turn) % 4, ny = y + dy[way], nx = x + dx[way];
        if (ny <= 0 || nx <= 0 || ny >= N - 1 || nx >= N - 1 || open[ny][nx]) continue;
        open[(y + ny) / 2][(x + nx) / 2] = 1;
        dig(ny, nx);
    }
}
static void push(int priority, int cell) {
    int at = size++;
    while (at && heap[(at - 1) / 2].priority > priority) {
        heap[at] = heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap[at] = (struct entry){priority, cell};
}
static int pop(void) {
    int out = heap[0].cell, at = 0;
    struct entry last = heap[--size];
    for (;;) {
        int child = 2 * at + 1;
        if (child >= size) break;
        if (child + 1 < size && heap[child + 1].priority < heap[child].priority) child++;
        if (heap[child].priority >= last.priority) break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = last;
    return out;
}
int main(void) {
    dig(1, 1);
    for (int k = 0; k < N; k++) open[1 + draw() % (N - 2)][1 + draw() % (N - 2)] = 1;
    open[N - 2][N - 2] = 1;
    int looked = 0;
    cost[1][1] = 1;
    push(0, N + 1);
    while (size) {
        int cell = pop(), y = cell / N, x = cell % N;
        if (done[y][x]) continue;
        done[y][x] = 1;
        looked++;
        if (y == N - 2 && x == N - 2) break;
        static const int dy[] = {0, 0, 1, -1}, dx[] = {1, -1, 0, 0};
        for (int k = 0; k < 4; k++) {
            int ny = y + dy[k], nx = x + dx[k];
            if (!open[ny][nx] || done[ny][nx]) continue;
            int c = cost[y][x] + 1;
            if (cost[ny][nx] && cost[ny][nx] <= c) continue;
            cost[ny][nx] = c;
            push(c + abs(N - 2 - ny) + abs(N - 2 - nx), ny * N + nx);
        }
    }
    printf("%d %d\n", cost[N - 2][N - 2], looked);
    return 0;
}
