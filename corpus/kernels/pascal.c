// Pascal's triangle modulo a number, row by row. Control: fixed. Sizes: 60 200 600.
#include <stdio.h>
#ifndef N
#define N 200
#endif
static unsigned row[N + 1];
int main(void) {
    unsigned odd = 0;
    for (int i = 0; i <= N; i++) {
        row[i] = 1;
        for (int j = i - 1; j > 0; j--) row[j] = (row[j] + row[j - 1]) % 1000007;
        for (int j = 0; j <= i; j++) odd += row[j] & 1;
    }
    printf("%u %u\n", row[N / 2], odd);
    return 0;
}
