// Integer inverse cosine transform of blocks, clipped. Held out. Control: fixed. Sizes: 6 60 600.
#include <stdio.h>
#include <stdlib.h>
#ifndef N
#define N 60
#endif
typedef struct { short c[64]; } block;
static const int table[8][8] = {
    {362, 502, 473, 426, 362, 284, 196, 100},    {362, 426, 196, -100, -362, -502, -473, -284},
    {362, 284, -196, -502, -362, 100, 473, 426}, {362, 100, -473, -284, 362, 426, -196, -502},
    {362, -100, -473, 284, 362, -426, -196, 502}, {362, -284, -196, 502, -362, -100, 473, -426},
    {362, -426, 196, 100, -362, 502, -473, 284}, {362, -502, 473, -426, 362, -284, 196, -100}};
static int clip(int v) { return v < -256 ? -256 : v > 255 ? 255 : v; }
static void idct(block *b) {
    int tmp[64];
    for (int y = 0; y < 8; y++)
        for (int x = 0; x < 8; x++) {
            int s = 0;
            for (int u = 0; u < 8; u++) s += table[x][u] * b->c[8 * y + u];
            tmp[8 * y + x] = s >> 9;
        }
    for (int x = 0; x < 8; x++)
        for (int y = 0; y < 8; y++) {
            int s = 0;
            for (int v = 0; v < 8; v++) s += table[y][v] * tmp[8 * v + x];
            b->c[8 * y + x] = clip(s >> 11);
        }
}
int main(void) {
    block *blocks = malloc(N * sizeof(block));
    for (int i = 0; i < N; i++)
        for (int j = 0; j < 64; j++) blocks[i].c[j] = (i * 64 + j) % 37 - 18;
    for (int i = 0; i < N; i++) idct(&blocks[i]);
    long sum = 0;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < 64; j++) sum += blocks[i].c[j];
    printf("%ld\n", sum);
    free(blocks);
    return 0;
}
