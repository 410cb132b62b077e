// Inserts into and searches a binary tree. Control: data. Sizes: 100 1000 10000.
#include <stdio.h>
#include <stdlib.h>
#ifndef N
#define N 1000
#endif
struct tree {
    struct tree *left, *right;
    unsigned key;
};
static int height(const struct tree *t) {
    if (!t) return 0;
    int l = height(t->left), r = height(t->right);
    return 1 + (l > r ? l : r);
}
int main(void) {
    struct tree *root = NULL;
    unsigned x = 77, found = 0;
    for (int i = 0; i < N; i++) {
        x = x * 1664525u + 1013904223u;
        struct tree **p = &root;
        while (*p) p = x < (*p)->key ? &(*p)->left : &(*p)->right;
        *p = calloc(1, sizeof **p);
        (*p)->key = x;
    }
    for (int i = 0; i < N; i++) {
        x = x * 1664525u + 1013904223u;
        struct tree *t = root;
        while (t && t->key >> 12 != x >> 12) t = x < t->key ? t->left : t->right;
        found += t != NULL;
    }
    printf("%u %d\n", found, height(root));
    return 0;
}
