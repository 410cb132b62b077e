// An integer state machine over STEPS steps: a long loop of unpredictable branches, with a constant bound.
#include <stdint.h>
#include <stdio.h>

#ifndef STEPS
#define STEPS 200000000u
#endif

enum state { IDLE, ARMED, FIRING, COOLING };

int main(void) {
    enum state state = IDLE;
    uint32_t random = 2463534242u, visits[4] = {0, 0, 0, 0};
    for (uint32_t step = 0; step < STEPS; step++) {
        random ^= random << 13;
        random ^= random >> 17;
        random ^= random << 5;
        switch (state) {
        case IDLE: state = (random & 3) == 0 ? ARMED : IDLE; break;
        case ARMED: state = (random & 1) ? FIRING : IDLE; break;
        case FIRING: state = (random & 7) < 5 ? FIRING : COOLING; break;
        case COOLING: state = (random & 15) == 9 ? ARMED : IDLE; break;
        }
        visits[state]++;
    }
    printf("%u %u %u %u\n", visits[0], visits[1], visits[2], visits[3]);
    return 0;
}
