// Longest palindromes around every place, by Manacher's algorithm. Held out fourth. Control: data. Sizes: 600 6000 60000.
#include <stdio.h>
#ifndef N
#define N 6000
#endif
static char text[N + 1];
static int radius[N];
int main(void) {
    unsigned seed = 99;
    for (int i = 0; i < N; i++) {
        seed = seed * 1103515245u + 12345;
        text[i] = "ab"[(seed >> 16) % 3 == 0];
    }
    int center = 0, right = -1, longest = 0;
    for (int i = 0; i < N; i++) {
        int reach = 1;
        if (i <= right) {
            reach = radius[2 * center - i];
            if (reach > right - i + 1) reach = right - i + 1;
        }
        while (i - reach >= 0 && i + reach < N && text[i - reach] == text[i + reach]) reach++;
        radius[i] = reach;
        if (i + reach - 1 > right) {
            center = i;
            right = i + reach - 1;
        }
        if (reach > longest) longest = reach;
    }
    printf("%d\n", 2 * longest - 1);
    return 0;
}
