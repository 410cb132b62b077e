// A cascade of second-order filters kept in structures. Held out. Control: fixed. Sizes: 400 4000 40000.
#include <stdio.h>
#ifndef N
#define N 4000
#endif
#define STAGES 4
typedef struct { double b0, b1, b2, a1, a2, z1, z2; } biquad;
static double process(biquad *f, double x) {
    double y = f->b0 * x + f->z1;
    f->z1 = f->b1 * x - f->a1 * y + f->z2;
    f->z2 = f->b2 * x - f->a2 * y;
    return y;
}
int main(void) {
    biquad cascade[STAGES];
    for (int s = 0; s < STAGES; s++) cascade[s] = (biquad){0.2 + 0.01 * s, 0.3, 0.2, -0.4, 0.1 + 0.02 * s, 0, 0};
    double power = 0, x;
    for (int n = 0; n < N; n++) {
        x = n % 100 < 50 ? 1.0 : -1.0;
        for (int s = 0; s < STAGES; s++) x = process(&cascade[s], x);
        power += x * x;
    }
    printf("power %e\n", power / N);
    return 0;
}
