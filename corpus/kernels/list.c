// Builds and walks a linked list on the heap. Control: data. Sizes: 100 1000 10000.
#include <stdio.h>
#include <stdlib.h>
#ifndef N
#define N 1000
#endif
struct node {
    struct node *next;
    long value;
};
int main(void) {
    struct node *head = NULL;
    for (int i = 0; i < N; i++) {
        struct node *node = malloc(sizeof *node);
        node->value = i;
        node->next = head;
        head = node;
    }
    long sum = 0;
    for (int round = 0; round < 20; round++)
        for (struct node *p = head; p; p = p->next) sum += p->value ^ round;
    while (head) {
        struct node *next = head->next;
        free(head);
        head = next;
    }
    printf("%ld\n", sum);
    return 0;
}
