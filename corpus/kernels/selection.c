// Selection sort of strings' lengths. Control: data. Sizes: 60 200 600.
#include <stdio.h>
#ifndef N
#define N 200
#endif
static double v[N];
int main(void) {
    for (int i = 0; i < N; i++) v[i] = (double)((i * 7919L) % 1009) / 7;
    for (int i = 0; i < N - 1; i++) {
        int least = i;
        for (int j = i + 1; j < N; j++)
            if (v[j] < v[least]) least = j;
        double t = v[i];
        v[i] = v[least];
        v[least] = t;
    }
    printf("%f %f\n", v[0], v[N - 1]);
    return 0;
}
