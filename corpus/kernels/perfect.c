// Perfect, abundant and deficient numbers by trial division. Held out. Control: data. Sizes: 60 190 600.
#include <stdio.h>
#ifndef N
#define N 190
#endif
int main(void) {
    int perfect = 0, abundant = 0, deficient = 0;
    for (int n = 1; n <= N; n++) {
        int sum = 0;
        for (int d = 1; d < n; d++)
            if (n % d == 0) sum += d;
        if (sum == n) perfect++;
        else if (sum > n) abundant++;
        else deficient++;
    }
    printf("perfect %d abundant %d deficient %d\n", perfect, abundant, deficient);
    return 0;
}
