// Connected components by union and find. Growth: n alpha(n), data. Runs: 2500 5000 10000 20000 40000 > 4000000.
#include <stdio.h>
#include <stdlib.h>
static unsigned s = 12345;
static unsigned next_random(void) { return s = s * 1664525u + 1013904223u, s >> 8; }
int main(int argc, char **argv) {
    if (argc < 2) return 2;
    long n = atol(argv[1]);
    int *parent = malloc(n * sizeof *parent);
    long count = n;
    for (long i = 0; i < n; i++) parent[i] = i;
    for (long i = 0; i < n; i++) {
        int a = next_random() % n, b = next_random() % n;
        while (parent[a] != a) a = parent[a] = parent[parent[a]];
        while (parent[b] != b) b = parent[b] = parent[parent[b]];
        if (a != b) parent[a] = b, count--;
    }
    printf("%ld\n", count);
    return 0;
}
