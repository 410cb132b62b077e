// Words put into and looked up in a Bloom filter. Held out third. Control: data. Sizes: 100 1000 10000.
#include <stdint.h>
#include <stdio.h>
#ifndef N
#define N 1000
#endif
#define BITS (16 * N)
#define HASHES 7
static uint64_t filter[(BITS + 63) / 64];
static int spell(uint32_t i, char *out) {
    int length = 0;
    do {
        out[length++] = (char)('a' + i % 26);
        i /= 26;
    } while (i);
    return length;
}
static void hash(const char *text, int length, uint32_t *a, uint32_t *b) {
    uint32_t x = 2166136261u, y = 5381;
    for (int k = 0; k < length; k++) {
        x = (x ^ (uint8_t)text[k]) * 16777619u;
        y = y * 33 + (uint8_t)text[k];
    }
    *a = x;
    *b = y | 1;
}
static void put(uint32_t a, uint32_t b) {
    for (int k = 0; k < HASHES; k++, a += b) filter[a % BITS / 64] |= 1ull << a % BITS % 64;
}
static int may_hold(uint32_t a, uint32_t b) {
    for (int k = 0; k < HASHES; k++, a += b)
        if (!(filter[a % BITS / 64] >> a % BITS % 64 & 1)) return 0;
    return 1;
}
int main(void) {
    char text[16];
    uint32_t a, b;
    for (uint32_t i = 0; i < N; i++) {
        hash(text, spell(i * 2654435761u, text), &a, &b);
        put(a, b);
    }
    int held = 0, wrong = 0;
    for (uint32_t i = 0; i < 4 * N; i++) {
        hash(text, spell(i * 2654435761u, text), &a, &b);
        int found = may_hold(a, b);
        held += found;
        wrong += found && i >= N;
    }
    printf("%d %d\n", held, wrong);
    return 0;
}
