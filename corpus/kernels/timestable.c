// Prints a multiplication table. Held out. Control: fixed. Sizes: 4 12 40.
#include <stdio.h>
#ifndef N
#define N 12
#endif
int main(void) {
    printf("%4s", "");
    for (int j = 1; j <= N; j++) printf("%5d", j);
    printf("\n");
    for (int i = 1; i <= N; i++) {
        printf("%4d", i);
        for (int j = 1; j <= N; j++) printf("%5d", i * j);
        printf("\n");
    }
    return 0;
}
