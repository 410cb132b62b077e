// Insertions into a binary search tree. Growth: n log n, data. Runs: 500 1000 2000 4000 8000 > 600000.
#include <stdio.h>
#include <stdlib.h>
static unsigned s = 12345;
static unsigned next_random(void) { return s = s * 1664525u + 1013904223u, s >> 8; }
int main(int argc, char **argv) {
    if (argc < 2) return 2;
    long n = atol(argv[1]);
    struct node { struct node *left, *right; unsigned key; } *pool = calloc(n, sizeof *pool), *root = 0;
    long depth = 0;
    for (long i = 0; i < n; i++) {
        struct node **at = &root;
        pool[i].key = next_random();
        while (*at) at = pool[i].key < (*at)->key ? &(*at)->left : &(*at)->right, depth++;
        *at = &pool[i];
    }
    printf("%ld\n", depth);
    return 0;
}
