// Inserts into and deletes from a treap by splitting and merging. Held out fourth. Control: data. Sizes: 60 500 4000.
#include <stdint.h>
#include <stdio.h>
#ifndef N
#define N 500
#endif
struct node { uint32_t key, priority; struct node *left, *right; };
static struct node pool[N], *root;
static uint32_t seed = 2463534242u;
static uint32_t draw(void) {
    seed ^= seed << 13;
    seed ^= seed >> 17;
    return seed ^= seed << 5;
}
static void split(struct node *t, uint32_t key, struct node **low, struct node **high) {
    if (!t) {
        *low = *high = 0;
    } else if (t->key < key) {
        split(t->right, key, &t->right, high);
        *low = t;
    } else {
        split(t->left, key, low, &t->left);
        *high = t;
    }
}
static struct node *merge(struct node *a, struct node *b) {
    if (!a || !b) return a ? a : b;
    if (a->priority > b->priority) {
        a->right = merge(a->right, b);
        return a;
    }
    b->left = merge(a, b->left);
    return b;
}
static int height(struct node *t) {
    if (!t) return 0;
    int l = height(t->left), r = height(t->right);
    return 1 + (l > r ? l : r);
}
int main(void) {
    for (int i = 0; i < N; i++) {
        struct node *low, *high, *fresh = &pool[i];
        fresh->key = draw() % (10u * N);
        fresh->priority = draw();
        split(root, fresh->key, &low, &high);
        root = merge(merge(low, fresh), high);
    }
    for (int i = 0; i < N / 2; i++) {
        struct node *low, *middle, *high;
        split(root, pool[i].key, &low, &high);
        split(high, pool[i].key + 1, &middle, &high);
        root = merge(low, high);
    }
    printf("%d\n", height(root));
    return 0;
}
