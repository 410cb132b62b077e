// Suffix array by doubling with counting sorts. Held out fourth. Control: data. Sizes: 120 800 6000.
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#ifndef N
#define N 800
#endif
#define MOST (N > 256 ? N : 256)
static uint8_t text[N];
static int suffix[N], rank_of[N], held[N], count[MOST + 1];
int main(void) {
    uint32_t seed = 5;
    for (int i = 0; i < N; i++) {
        seed = seed * 69069u + 1;
        text[i] = (uint8_t)('a' + (seed >> 24) % 4);
    }
    int classes = 256;
    for (int i = 0; i < N; i++) rank_of[i] = text[i];
    for (int i = 0; i < N; i++) held[i] = i;
    for (int length = 0;; length = length ? 2 * length : 1) {
        memset(count, 0, sizeof count);
        if (length) {
            int at = 0;
            for (int i = N - length; i < N; i++) held[at++] = i;
            for (int i = 0; i < N; i++)
                if (suffix[i] >= length) held[at++] = suffix[i] - length;
        }
        for (int i = 0; i < N; i++) count[rank_of[i]]++;
        for (int c = 1; c < classes; c++) count[c] += count[c - 1];
        for (int i = N - 1; i >= 0; i--) suffix[--count[rank_of[held[i]]]] = held[i];
        memcpy(held, rank_of, sizeof held);
        rank_of[suffix[0]] = 0;
        int next = 0;
        for (int i = 1; i < N; i++) {
            int a = suffix[i - 1], b = suffix[i];
            int more_a = a + length < N ? held[a + length] : -1, more_b = b + length < N ? held[b + length] : -1;
            if (held[a] != held[b] || (length && more_a != more_b)) next++;
            rank_of[b] = next;
        }
        classes = next + 1;
        if (classes == N) break;
    }
    long check = 0;
    for (int i = 0; i < N; i++) check += (long)suffix[i] * (i % 7);
    printf("%ld\n", check);
    return 0;
}
