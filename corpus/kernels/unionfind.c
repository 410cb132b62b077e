// Union-find with path halving. Control: data. Sizes: 300 3000 30000.
#include <stdio.h>
#ifndef N
#define N 3000
#endif
static int parent[N];
static int find(int x) {
    while (parent[x] != x) x = parent[x] = parent[parent[x]];
    return x;
}
int main(void) {
    for (int i = 0; i < N; i++) parent[i] = i;
    unsigned s = 5;
    int sets = N;
    for (int k = 0; k < 2 * N; k++) {
        s = s * 1664525u + 1013904223u;
        int a = find((s >> 8) % N);
        s = s * 1664525u + 1013904223u;
        int b = find((s >> 8) % N);
        if (a != b) {
            parent[a] = b;
            sets--;
        }
    }
    printf("%d\n", sets);
    return 0;
}
