// A filter over a circular buffer, sample by sample. Held out. Control: fixed. Sizes: 300 3000 30000.
#include <stdio.h>
#ifndef N
#define N 3000
#endif
#define TAPS 24
static float history[TAPS], coefficient[TAPS];
static int head;
static float fir(float sample) {
    float acc = 0.0f;
    int at = head;
    history[head] = sample;
    for (int i = 0; i < TAPS; i++) {
        acc += coefficient[i] * history[at];
        at = at == 0 ? TAPS - 1 : at - 1;
    }
    head = (head + 1) % TAPS;
    return acc;
}
int main(void) {
    float out = 0.0f;
    for (int i = 0; i < TAPS; i++) coefficient[i] = 1.0f / (i + 1);
    for (int n = 0; n < N; n++) out = fir((float)(n % 50) - 25.0f) + 0.5f * out;
    printf("%f\n", (double)out);
    return 0;
}
