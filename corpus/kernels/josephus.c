// Josephus' circle as a linked list. Held out. Control: data. Sizes: 100 1000 10000.
#include <stdio.h>
#include <stdlib.h>
#ifndef N
#define N 1000
#endif
typedef struct person { int id; struct person *next; } person;
int main(void) {
    person *first = NULL, *last = NULL;
    for (int i = 1; i <= N; i++) {
        person *p = malloc(sizeof(person));
        p->id = i;
        p->next = NULL;
        if (last) last->next = p;
        else first = p;
        last = p;
    }
    last->next = first;
    person *at = last;
    while (at->next != at) {
        for (int k = 1; k < 7; k++) at = at->next;
        person *gone = at->next;
        at->next = gone->next;
        free(gone);
    }
    printf("survivor %d\n", at->id);
    free(at);
    return 0;
}
