// Merge sort, bottom-up. Control: data. Sizes: 300 3000 30000.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifndef N
#define N 3000
#endif
int main(void) {
    unsigned *a = malloc(N * sizeof *a), *b = malloc(N * sizeof *b), x = 9;
    for (int i = 0; i < N; i++) a[i] = x = x * 69069u + 1;
    for (int width = 1; width < N; width *= 2) {
        for (int low = 0; low < N; low += 2 * width) {
            int mid = low + width < N ? low + width : N, high = low + 2 * width < N ? low + 2 * width : N;
            int i = low, j = mid;
            for (int k = low; k < high; k++) {
                if (i < mid && (j >= high || a[i] <= a[j])) b[k] = a[i++];
                else b[k] = a[j++];
            }
        }
        memcpy(a, b, N * sizeof *a);
    }
    printf("%u %u\n", a[0], a[N - 1]);
    free(a);
    free(b);
    return 0;
}
