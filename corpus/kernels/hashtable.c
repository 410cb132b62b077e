// Open-addressing hash table: insertions and look-ups. Control: data. Sizes: 300 3000 30000.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#ifndef N
#define N 3000
#endif
struct entry { uint32_t key, value; };
static struct entry *table;
static uint32_t mask;
static struct entry *slot(uint32_t key) {
    uint32_t i = key * 2654435761u;
    for (;; i++) {
        struct entry *e = &table[(i >> 7) & mask];
        if (!e->key || e->key == key) return e;
        i += 127;
    }
}
int main(void) {
    uint32_t size = 1, x = 1, sum = 0;
    while (size < 2 * N) size *= 2;
    mask = size - 1;
    table = calloc(size, sizeof *table);
    for (int i = 0; i < N; i++) {
        x = x * 1664525u + 1013904223u;
        struct entry *e = slot((x >> 4) | 1);
        e->key = (x >> 4) | 1;
        e->value += i;
    }
    x = 1;
    for (int i = 0; i < N; i++) {
        x = x * 1664525u + 1013904223u;
        sum += slot((x >> 4) | 1)->value;
    }
    printf("%u\n", sum);
    return 0;
}
