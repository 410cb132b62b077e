// Histogram equalisation of a generated picture. Held out. Control: fixed. Sizes: 1000 10000 100000.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifndef N
#define N 10000
#endif
typedef unsigned char byte;
static unsigned seed = 12345;
static unsigned next(void) { return seed = seed * 1103515245u + 12345u; }
int main(void) {
    byte *image = malloc(N);
    int counts[256], cumulative[256];
    for (int i = 0; i < N; i++) image[i] = (next() >> 16) % 200;
    memset(counts, 0, sizeof counts);
    for (int i = 0; i < N; i++) counts[image[i]]++;
    cumulative[0] = counts[0];
    for (int i = 1; i < 256; i++) cumulative[i] = cumulative[i - 1] + counts[i];
    for (int i = 0; i < N; i++) image[i] = (byte)((long long)cumulative[image[i]] * 255 / N);
    unsigned long sum = 0;
    for (int i = 0; i < N; i++) sum += image[i];
    printf("mean %lu, first %d, last %d\n", sum / N, image[0], image[N - 1]);
    free(image);
    return 0;
}
