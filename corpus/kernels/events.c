// Customers at a counter: a simulation by a heap of events. Held out later. Control: data. Sizes: 200 2000 20000.
#include <stdint.h>
#include <stdio.h>
#ifndef N
#define N 2000
#endif
struct event { double at; int kind; };
static struct event heap[64];
static int events;
static uint64_t state = 42;
static double draw(void) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (double)(state >> 40) / (1 << 24) + 1e-6;
}
static void add(double at, int kind) {
    int i = events++;
    for (; i && heap[(i - 1) / 2].at > at; i = (i - 1) / 2) heap[i] = heap[(i - 1) / 2];
    heap[i] = (struct event){at, kind};
}
static struct event take(void) {
    struct event top = heap[0], last = heap[--events];
    int i = 0;
    for (int c; (c = 2 * i + 1) < events; i = c) {
        if (c + 1 < events && heap[c + 1].at < heap[c].at) c++;
        if (heap[c].at >= last.at) break;
        heap[i] = heap[c];
    }
    heap[i] = last;
    return top;
}
int main(void) {
    int waiting = 0, busy = 0, served = 0, longest = 0;
    double now = 0, area = 0;
    add(draw(), 0);
    while (served < N) {
        struct event e = take();
        area += waiting * (e.at - now);
        now = e.at;
        if (e.kind == 0) {
            add(now + draw() * 2, 0);
            if (busy < 3) busy++, add(now + draw() * 5, 1);
            else if (++waiting > longest) longest = waiting;
        } else {
            served++;
            if (waiting) waiting--, add(now + draw() * 5, 1);
            else busy--;
        }
    }
    printf("%d %d %.4f\n", served, longest, area / now);
    return 0;
}
