// Validates and counts code points of generated UTF-8. Held out. Control: data. Sizes: 1000 10000 100000.
#include <stdint.h>
#include <stdio.h>
#ifndef N
#define N 10000
#endif
static uint8_t text[N + 4];
static int encode(uint8_t *p, uint32_t c) {
    if (c < 0x80) { p[0] = c; return 1; }
    if (c < 0x800) { p[0] = 0xc0 | c >> 6; p[1] = 0x80 | (c & 63); return 2; }
    p[0] = 0xe0 | c >> 12; p[1] = 0x80 | (c >> 6 & 63); p[2] = 0x80 | (c & 63);
    return 3;
}
static int validate(const uint8_t *p, const uint8_t *end) {
    int count = 0;
    while (p < end) {
        int more;
        if (*p < 0x80) more = 0;
        else if ((*p & 0xe0) == 0xc0) more = 1;
        else if ((*p & 0xf0) == 0xe0) more = 2;
        else if ((*p & 0xf8) == 0xf0) more = 3;
        else return -1;
        p++;
        while (more-- > 0) {
            if (p == end || (*p & 0xc0) != 0x80) return -1;
            p++;
        }
        count++;
    }
    return count;
}
int main(void) {
    int length = 0;
    uint32_t c = 1;
    while (length < N) {
        c = c * 22695477u + 1;
        length += encode(text + length, (c >> 16) % (c & 1u << 30 ? 0x80 : 0xd000));
    }
    printf("%d code points\n", validate(text, text + length));
    return 0;
}
