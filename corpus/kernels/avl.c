// Keys put into a balanced tree and looked up in it. Held out third. Control: data. Sizes: 100 800 7000.
#include <stdio.h>
#ifndef N
#define N 800
#endif
struct node { int key, height, left, right; };
static struct node pool[N + 1];
static int used;
static int height(int n) { return n ? pool[n].height : 0; }
static void measure(int n) {
    int l = height(pool[n].left), r = height(pool[n].right);
    pool[n].height = 1 + (l > r ? l : r);
}
static int right(int n) {
    int l = pool[n].left;
    pool[n].left = pool[l].right;
    pool[l].right = n;
    measure(n);
    measure(l);
    return l;
}
static int left(int n) {
    int r = pool[n].right;
    pool[n].right = pool[r].left;
    pool[r].left = n;
    measure(n);
    measure(r);
    return r;
}
static int put(int n, int key) {
    if (!n) {
        pool[++used] = (struct node){key, 1, 0, 0};
        return used;
    }
    if (key == pool[n].key) return n;
    if (key < pool[n].key) pool[n].left = put(pool[n].left, key);
    else pool[n].right = put(pool[n].right, key);
    measure(n);
    int lean = height(pool[n].left) - height(pool[n].right);
    if (lean > 1) {
        if (key > pool[pool[n].left].key) pool[n].left = left(pool[n].left);
        return right(n);
    }
    if (lean < -1) {
        if (key < pool[pool[n].right].key) pool[n].right = right(pool[n].right);
        return left(n);
    }
    return n;
}
int main(void) {
    int root = 0;
    unsigned x = 1;
    for (int i = 0; i < N; i++) {
        x = x * 1103515245u + 12345;
        root = put(root, (int)((x >> 8) % (4 * N)));
    }
    int hits = 0;
    for (int key = 0; key < 4 * N; key++) {
        int n = root;
        while (n && pool[n].key != key) n = key < pool[n].key ? pool[n].left : pool[n].right;
        hits += n != 0;
    }
    printf("%d %d %d\n", used, hits, height(root));
    return 0;
}
