// Run-length encoding and decoding. Control: data. Sizes: 1000 10000 100000.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifndef N
#define N 10000
#endif
int main(void) {
    unsigned char *in = malloc(N), *packed = malloc(2 * N), *out = malloc(N);
    for (int i = 0; i < N; i++) in[i] = (unsigned char)((i / 7) * (i / 7) % 5);
    int n = 0;
    for (int i = 0; i < N;) {
        int j = i;
        while (j < N && j - i < 255 && in[j] == in[i]) j++;
        packed[n++] = (unsigned char)(j - i);
        packed[n++] = in[i];
        i = j;
    }
    int m = 0;
    for (int i = 0; i < n; i += 2)
        for (int k = 0; k < packed[i]; k++) out[m++] = packed[i + 1];
    printf("%d %d %d\n", n, m, memcmp(in, out, N));
    return 0;
}
