// Naive Fibonacci recursion. Control: fixed. Sizes: 15 20 25.
#include <stdio.h>
#ifndef N
#define N 20
#endif
__attribute__((noinline)) static int fib(int n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
int main(void) {
    printf("%d\n", fib(N));
    return 0;
}
