// The Burrows-Wheeler transform by qsort, then move to front. Held out third. Control: data. Sizes: 100 700 4000.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifndef N
#define N 700
#endif
static uint8_t text[2 * N], last[N], front[256];
static int order[N];
static int compare(const void *a, const void *b) { return memcmp(text + *(const int *)a, text + *(const int *)b, N); }
int main(void) {
    static const char words[] = "she sells sea shells by the sea shore; ";
    unsigned x = 3;
    for (int i = 0; i < N; i++) {
        x = x * 1664525u + 1013904223u;
        text[i] = text[i + N] = (uint8_t)((x >> 20) % 9 ? words[i % (sizeof words - 1)] : 'a' + (x >> 24) % 26);
        order[i] = i;
    }
    qsort(order, N, sizeof *order, compare);
    for (int i = 0; i < N; i++) last[i] = text[order[i] + N - 1];
    for (int i = 0; i < 256; i++) front[i] = (uint8_t)i;
    unsigned zeros = 0, sum = 0;
    for (int i = 0; i < N; i++) {
        int at = 0;
        while (front[at] != last[i]) at++;
        zeros += at == 0;
        sum = sum * 31 + (unsigned)at;
        memmove(front + 1, front, (size_t)at);
        front[0] = last[i];
    }
    printf("%u %u\n", zeros, sum);
    return 0;
}
