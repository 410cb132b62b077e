// Five bodies under gravity over a constant number of steps: square roots and divisions in floating point.
#include <math.h>
#include <stdio.h>

#define BODIES 5
#define STEPS 200000

static double position[BODIES][3] = {{0, 0, 0}, {4.84, -1.16, -0.10}, {8.34, 4.12, -0.4}, {12.89, -15.11, -0.22}, {15.37, -25.9, 0.17}};
static double velocity[BODIES][3] = {{0, 0, 0}, {0.6, 2.8, -0.02}, {-1.01, 1.82, 0.008}, {1.08, 0.86, -0.01}, {0.97, 0.59, -0.03}};
static const double mass[BODIES] = {39.47, 0.03769, 0.01128, 0.001723, 0.002033};

static double energy(void) {
    double total = 0;
    for (int i = 0; i < BODIES; i++) {
        for (int k = 0; k < 3; k++) total += 0.5 * mass[i] * velocity[i][k] * velocity[i][k];
        for (int j = i + 1; j < BODIES; j++) {
            double squared = 0;
            for (int k = 0; k < 3; k++) squared += (position[i][k] - position[j][k]) * (position[i][k] - position[j][k]);
            total -= mass[i] * mass[j] / sqrt(squared);
        }
    }
    return total;
}

int main(void) {
    printf("%.9f\n", energy());
    for (int step = 0; step < STEPS; step++) {
        for (int i = 0; i < BODIES; i++)
            for (int j = i + 1; j < BODIES; j++) {
                double d[3], squared = 0;
                for (int k = 0; k < 3; k++) d[k] = position[i][k] - position[j][k], squared += d[k] * d[k];
                double magnitude = 0.001 / (squared * sqrt(squared));
                for (int k = 0; k < 3; k++) {
                    velocity[i][k] -= d[k] * mass[j] * magnitude;
                    velocity[j][k] += d[k] * mass[i] * magnitude;
                }
            }
        for (int i = 0; i < BODIES; i++)
            for (int k = 0; k < 3; k++) position[i][k] += 0.001 * velocity[i][k];
    }
    printf("%.9f\n", energy());
    return 0;
}
