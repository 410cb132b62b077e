// Points of Bezier curves by de Casteljau's triangle. Held out later. Control: fixed. Sizes: 30 300 3000.
#include <stdio.h>
#ifndef N
#define N 300
#endif
#define DEGREE 7
struct point { double x, y; };
static struct point curve(const struct point *control, int degree, double t) {
    struct point work[DEGREE + 1];
    for (int i = 0; i <= degree; i++) work[i] = control[i];
    for (int level = degree; level > 0; level--)
        for (int i = 0; i < level; i++) {
            work[i].x += t * (work[i + 1].x - work[i].x);
            work[i].y += t * (work[i + 1].y - work[i].y);
        }
    return work[0];
}
int main(void) {
    struct point control[DEGREE + 1];
    for (int i = 0; i <= DEGREE; i++) control[i] = (struct point){i, i * i % 5};
    double length = 0;
    struct point last = control[0];
    for (int s = 1; s <= N; s++) {
        struct point now = curve(control, DEGREE, s / (double)N);
        double dx = now.x - last.x, dy = now.y - last.y;
        length += dx * dx + dy * dy;
        last = now;
    }
    printf("%.9f\n", length);
    return 0;
}
