// Dumps a buffer in hexadecimal with putchar. Held out. Control: fixed. Sizes: 160 1600 16000.
#include <stdio.h>
#ifndef N
#define N 1600
#endif
static unsigned char buffer[N];
static void byte(unsigned char b) {
    static const char digit[] = "0123456789abcdef";
    putchar(digit[b >> 4]);
    putchar(digit[b & 15]);
}
int main(void) {
    for (int i = 0; i < N; i++) buffer[i] = i * i;
    for (int row = 0; row < N; row += 16) {
        for (int i = 0; i < 16; i++) {
            byte(buffer[row + i]);
            putchar(i % 8 == 7 ? '\t' : ' ');
        }
        putchar('\n');
    }
    return 0;
}
