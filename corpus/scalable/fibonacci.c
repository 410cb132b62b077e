// Fibonacci numbers by recursion. Growth: 1.618^n. Runs: 12 14 16 18 20 > 30.
#include <stdio.h>
#include <stdlib.h>
static long fibonacci(long n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }
int main(int argc, char **argv) {
    if (argc < 2) return 2;
    long n = atol(argv[1]);
    printf("%ld\n", fibonacci(n));
    return 0;
}
