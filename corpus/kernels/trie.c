// Words put into and looked up in a trie. Held out later. Control: data. Sizes: 60 600 6000.
#include <stdio.h>
#include <stdlib.h>
#ifndef N
#define N 600
#endif
struct node { struct node *child[26]; int count; };
static struct node *fresh(void) { return calloc(1, sizeof(struct node)); }
static void word(int i, char *out) {
    unsigned x = (unsigned)i * 2654435761u;
    int length = 2 + x % 7;
    for (int k = 0; k < length; k++, x = x * 31 + 7) out[k] = (char)('a' + (x >> 10) % (k ? 26 : 8));
    out[length] = 0;
}
int main(void) {
    struct node *root = fresh();
    char text[16];
    int nodes = 1, found = 0;
    for (int i = 0; i < N; i++) {
        word(i, text);
        struct node *at = root;
        for (char *c = text; *c; c++) {
            struct node **next = &at->child[*c - 'a'];
            if (!*next) *next = fresh(), nodes++;
            at = *next;
        }
        at->count++;
    }
    for (int i = 0; i < 2 * N; i++) {
        word(i, text);
        struct node *at = root;
        for (char *c = text; *c && at; c++) at = at->child[*c - 'a'];
        found += at && at->count;
    }
    printf("%d %d\n", nodes, found);
    return 0;
}
