// Inserts into and searches a skip list. Held out later. Control: data. Sizes: 60 400 3000.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#ifndef N
#define N 400
#endif
#define LEVELS 12
struct node { uint32_t key; struct node *next[LEVELS]; };
static struct node head;
static uint32_t seed = 88172645;
static uint32_t draw(void) {
    seed ^= seed << 13;
    seed ^= seed >> 17;
    return seed ^= seed << 5;
}
static struct node *search(uint32_t key, struct node **before) {
    struct node *at = &head;
    for (int level = LEVELS - 1; level >= 0; level--) {
        while (at->next[level] && at->next[level]->key < key) at = at->next[level];
        if (before) before[level] = at;
    }
    return at->next[0];
}
int main(void) {
    struct node *before[LEVELS];
    for (int i = 0; i < N; i++) {
        uint32_t key = draw() % (8 * N);
        struct node *found = search(key, before);
        if (found && found->key == key) continue;
        struct node *fresh = calloc(1, sizeof *fresh);
        fresh->key = key;
        int height = 1;
        while (height < LEVELS && draw() % 2) height++;
        for (int level = 0; level < height; level++) {
            fresh->next[level] = before[level]->next[level];
            before[level]->next[level] = fresh;
        }
    }
    int hits = 0;
    for (uint32_t key = 0; key < 4 * N; key++) {
        struct node *found = search(key, 0);
        hits += found && found->key == key;
    }
    printf("%d\n", hits);
    return 0;
}
