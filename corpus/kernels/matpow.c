// A recurrence by powers of its matrix modulo a prime, by squaring. Held out later. Control: fixed. Sizes: 8 18 40.
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#ifndef N
#define N 18
#endif
#define P 1000000007u
typedef uint32_t matrix[N][N];
static void multiply(matrix out, const matrix a, const matrix b) {
    matrix t;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            uint64_t sum = 0;
            for (int k = 0; k < N; k++) sum = (sum + (uint64_t)a[i][k] * b[k][j]) % P;
            t[i][j] = (uint32_t)sum;
        }
    memcpy(out, t, sizeof t);
}
int main(void) {
    static matrix base, result;
    for (int i = 0; i < N; i++) {
        base[0][i] = 1;
        if (i) base[i][i - 1] = 1;
        result[i][i] = 1;
    }
    for (unsigned e = 1000003; e; e >>= 1) {
        if (e & 1) multiply(result, result, base);
        multiply(base, base, base);
    }
    printf("%u\n", result[0][0]);
    return 0;
}
