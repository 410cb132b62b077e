// A picture of spheres by marching rays along distances. Held out fourth. Control: data. Sizes: 10 32 100.
#include <math.h>
#include <stdio.h>
#ifndef N
#define N 32
#endif
static double scene(double x, double y, double z) {
    double ball = sqrt(x * x + y * y + (z - 3) * (z - 3)) - 1.0;
    double other = sqrt((x - 1) * (x - 1) + (y + 0.5) * (y + 0.5) + (z - 4) * (z - 4)) - 0.7;
    double ground = y + 1.2;
    double near = ball < other ? ball : other;
    return near < ground ? near : ground;
}
int main(void) {
    long steps = 0, hits = 0;
    for (int row = 0; row < N; row++)
        for (int column = 0; column < N; column++) {
            double dx = (column - N / 2.0) / N, dy = (N / 2.0 - row) / N, dz = 1.0;
            double length = sqrt(dx * dx + dy * dy + dz * dz), along = 0;
            dx /= length;
            dy /= length;
            dz /= length;
            for (int i = 0; i < 100 && along < 20; i++) {
                double clear = scene(dx * along, dy * along, dz * along);
                steps++;
                if (clear < 1e-3) {
                    hits++;
                    break;
                }
                along += clear;
            }
        }
    printf("%ld %ld\n", steps, hits);
    return 0;
}
