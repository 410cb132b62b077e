// Lloyd's k-means on points of the plane. Held out. Control: data. Sizes: 100 1000 10000.
#include <float.h>
#include <stdio.h>
#include <string.h>
#ifndef N
#define N 1000
#endif
#define K 6
typedef struct { float x, y; int cluster; } point;
static point points[N];
int main(void) {
    float cx[K], cy[K];
    for (int i = 0; i < N; i++) {
        points[i].x = (i * 73 % 997) / 10.0f;
        points[i].y = (i * 151 % 991) / 10.0f;
    }
    for (int k = 0; k < K; k++) { cx[k] = points[k].x; cy[k] = points[k].y; }
    for (int round = 0; round < 8; round++) {
        float sx[K], sy[K];
        int n[K];
        memset(sx, 0, sizeof sx); memset(sy, 0, sizeof sy); memset(n, 0, sizeof n);
        for (int i = 0; i < N; i++) {
            float best = FLT_MAX;
            for (int k = 0; k < K; k++) {
                float dx = points[i].x - cx[k], dy = points[i].y - cy[k], d = dx * dx + dy * dy;
                if (d < best) { best = d; points[i].cluster = k; }
            }
            int c = points[i].cluster;
            sx[c] += points[i].x; sy[c] += points[i].y; n[c]++;
        }
        for (int k = 0; k < K; k++) if (n[k]) { cx[k] = sx[k] / n[k]; cy[k] = sy[k] / n[k]; }
    }
    for (int k = 0; k < K; k++) printf("(%.2f, %.2f)\n", cx[k], cy[k]);
    return 0;
}
