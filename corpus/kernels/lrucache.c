// A least-recently-used cache of pages under skewed requests. Held out fourth. Control: data. Sizes: 300 3000 30000.
#include <stdint.h>
#include <stdio.h>
#ifndef N
#define N 3000
#endif
#define SLOTS 32
#define PAGES 256
struct slot { int page; struct slot *older, *newer; };
static struct slot slots[SLOTS], *at[PAGES], *oldest, *newest;
static void unlink_slot(struct slot *s) {
    if (s->older) s->older->newer = s->newer; else oldest = s->newer;
    if (s->newer) s->newer->older = s->older; else newest = s->older;
}
static void push(struct slot *s) {
    s->older = newest;
    s->newer = 0;
    if (newest) newest->newer = s; else oldest = s;
    newest = s;
}
int main(void) {
    uint32_t seed = 4242;
    for (int i = 0; i < SLOTS; i++) {
        slots[i].page = -1;
        push(&slots[i]);
    }
    int hits = 0;
    for (int i = 0; i < N; i++) {
        seed = seed * 1664525u + 1013904223u;
        int page = (int)(seed >> 8) % PAGES;
        if (seed >> 30) page %= 20;
        struct slot *found = at[page];
        if (found) {
            hits++;
        } else {
            found = oldest;
            if (found->page >= 0) at[found->page] = 0;
            found->page = page;
            at[page] = found;
        }
        unlink_slot(found);
        push(found);
    }
    printf("%d\n", hits);
    return 0;
}
