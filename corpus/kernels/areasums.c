// Summed-area table, and box means at three radii from it. Held out fourth. Control: fixed. Sizes: 16 50 160.
#include <stdint.h>
#include <stdio.h>
#ifndef N
#define N 50
#endif
static uint8_t image[N][N];
static uint32_t table[N + 1][N + 1];
static int clip(int v) { return v < 0 ? 0 : v > N ? N : v; }
int main(void) {
    for (int y = 0; y < N; y++)
        for (int x = 0; x < N; x++) image[y][x] = (uint8_t)(x * y + 3 * x + 5 * y);
    for (int y = 0; y < N; y++) {
        uint32_t row = 0;
        for (int x = 0; x < N; x++) {
            row += image[y][x];
            table[y + 1][x + 1] = table[y][x + 1] + row;
        }
    }
    uint32_t check = 0;
    for (int radius = 1; radius <= 4; radius *= 2)
        for (int y = 0; y < N; y++)
            for (int x = 0; x < N; x++) {
                int top = clip(y - radius), bottom = clip(y + radius + 1);
                int left = clip(x - radius), right = clip(x + radius + 1);
                uint32_t sum = table[bottom][right] - table[top][right] - table[bottom][left] + table[top][left];
                check = check * 31 + sum / (uint32_t)((bottom - top) * (right - left));
            }
    printf("%u\n", check);
    return 0;
}
