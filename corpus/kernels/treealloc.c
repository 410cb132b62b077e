// Builds and counts complete binary trees on the heap. Control: data. Sizes: 6 9 12.
#include <stdio.h>
#include <stdlib.h>
#ifndef N
#define N 9
#endif
struct node { struct node *left, *right; };
static struct node *build(int depth) {
    struct node *n = malloc(sizeof *n);
    n->left = depth ? build(depth - 1) : NULL;
    n->right = depth ? build(depth - 1) : NULL;
    return n;
}
static int count(const struct node *n) { return n ? 1 + count(n->left) + count(n->right) : 0; }
int main(void) {
    struct node *root = build(N);
    printf("%d\n", count(root));
    return 0;
}
