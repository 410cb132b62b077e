// Prints a table line by line. Control: fixed. Sizes: 10 100 1000.
#include <stdio.h>
#ifndef N
#define N 100
#endif
int main(void) {
    for (int i = 1; i <= N; i++) printf("%5d %8d %s\n", i, i * i, i % 3 ? "no" : "yes");
    return 0;
}
