// Sines, cosines and exponentials of the mathematical library. Held out. Control: fixed. Sizes: 50 500 5000.
#include <math.h>
#include <stdio.h>
#ifndef N
#define N 500
#endif
static double samples[N];
int main(void) {
    double s = 0;
    for (int i = 0; i < N; i++) {
        double t = (double)i / N;
        samples[i] = sin(6.28318530717959 * t) * exp(-t) + 0.5 * cos(12.5663706143592 * t);
    }
    for (int i = 0; i < N; i++) s += samples[i] * samples[i];
    printf("rms %.9f, last %.9f\n", sqrt(s / N), samples[N - 1]);
    return 0;
}
