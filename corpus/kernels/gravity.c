// Gravity between pairs of bodies in an array of structures. Held out. Control: fixed. Sizes: 10 32 100.
#include <math.h>
#include <stdio.h>
#ifndef N
#define N 32
#endif
struct vec { double x, y, z; };
struct body { struct vec p, v; double m; };
static struct body bodies[N];
static void forces(double dt) {
    for (int i = 0; i < N; i++)
        for (int j = i + 1; j < N; j++) {
            struct body *a = &bodies[i], *b = &bodies[j];
            double dx = a->p.x - b->p.x, dy = a->p.y - b->p.y, dz = a->p.z - b->p.z;
            double r2 = dx * dx + dy * dy + dz * dz + 0.01, mag = dt / (r2 * sqrt(r2));
            a->v.x -= dx * b->m * mag;
            a->v.y -= dy * b->m * mag;
            a->v.z -= dz * b->m * mag;
            b->v.x += dx * a->m * mag;
            b->v.y += dy * a->m * mag;
            b->v.z += dz * a->m * mag;
        }
}
static void drift(double dt) {
    for (struct body *b = bodies; b != bodies + N; b++) {
        b->p.x += dt * b->v.x;
        b->p.y += dt * b->v.y;
        b->p.z += dt * b->v.z;
    }
}
static double energy(void) {
    double e = 0;
    for (int i = 0; i < N; i++) {
        struct body b = bodies[i];
        e += 0.5 * b.m * (b.v.x * b.v.x + b.v.y * b.v.y + b.v.z * b.v.z);
    }
    return e;
}
int main(void) {
    for (int i = 0; i < N; i++) {
        bodies[i].p = (struct vec){i % 5, i % 7 * 0.5, i % 3 * 2.0};
        bodies[i].m = 1.0 + i % 4;
    }
    for (int t = 0; t < 25; t++) {
        forces(0.01);
        drift(0.01);
    }
    printf("%.9f\n", energy());
    return 0;
}
