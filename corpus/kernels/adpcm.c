// Adaptive differential coding of a waveform. Held out. Control: data. Sizes: 300 3000 30000.
#include <stdio.h>
#ifndef N
#define N 3000
#endif
static const int index_table[16] = {-1, -1, -1, -1, 2, 4, 6, 8, -1, -1, -1, -1, 2, 4, 6, 8};
static int step_table[89];
static short pcm[N];
static unsigned char code[N];
static int clamp(int v, int low, int high) { if (v < low) return low; if (v > high) return high; return v; }
int main(void) {
    for (int i = 0, s = 7; i < 89; i++, s += s / 10 + 1) step_table[i] = s;
    for (int i = 0; i < N; i++) pcm[i] = (short)((i % 200 < 100 ? i % 100 : 100 - i % 100) * 150 + i * 7919 % 300);
    int predicted = 0, index = 0;
    long error = 0;
    for (int i = 0; i < N; i++) {
        int step = step_table[index], diff = pcm[i] - predicted, c = 0, delta = step >> 3;
        if (diff < 0) { c = 8; diff = -diff; }
        if (diff >= step) { c |= 4; diff -= step; delta += step; }
        step >>= 1;
        if (diff >= step) { c |= 2; diff -= step; delta += step; }
        step >>= 1;
        if (diff >= step) { c |= 1; delta += step; }
        predicted = clamp(predicted + (c & 8 ? -delta : delta), -32768, 32767);
        index = clamp(index + index_table[c], 0, 88);
        code[i] = c;
        error += diff;
    }
    unsigned sum = 0;
    for (int i = 0; i < N; i++) sum = sum * 17 + code[i];
    printf("%u %ld\n", sum, error);
    return 0;
}
