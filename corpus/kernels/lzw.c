// LZW compression with a hashed dictionary, and back again. Held out third. Control: data. Sizes: 1000 10000 100000.
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#ifndef N
#define N 10000
#endif
#define CODES 4096
#define SLOTS 8192
static uint8_t in[N], back[N];
static uint16_t codes[N];
static int32_t keys[SLOTS];
static uint16_t values[SLOTS], prefix[CODES];
static uint8_t suffix[CODES], stack[CODES];
static int find(int32_t key) {
    unsigned at = ((uint32_t)key * 2654435761u) >> 19;
    while (keys[at] != -1 && keys[at] != key) at = (at + 1) % SLOTS;
    return (int)at;
}
static int compress(void) {
    int count = 256, out = 0, current = in[0];
    memset(keys, -1, sizeof keys);
    for (int i = 1; i < N; i++) {
        int32_t key = current << 8 | in[i];
        int at = find(key);
        if (keys[at] == key) {
            current = values[at];
            continue;
        }
        codes[out++] = (uint16_t)current;
        if (count < CODES) {
            keys[at] = key;
            values[at] = (uint16_t)count++;
        }
        current = in[i];
    }
    codes[out++] = (uint16_t)current;
    return out;
}
static int expand(int length) {
    int count = 256, at = 0, last = codes[0];
    uint8_t first = (uint8_t)last;
    back[at++] = first;
    for (int i = 1; i < length; i++) {
        int code = codes[i], top = 0;
        if (code >= count) {
            stack[top++] = first;
            code = last;
        }
        while (code >= 256) {
            stack[top++] = suffix[code];
            code = prefix[code];
        }
        first = (uint8_t)code;
        stack[top++] = first;
        if (count < CODES) {
            prefix[count] = (uint16_t)last;
            suffix[count++] = first;
        }
        while (top) back[at++] = stack[--top];
        last = codes[i];
    }
    return at;
}
int main(void) {
    uint32_t x = 1;
    for (int i = 0; i < N; i++) {
        x = x * 1103515245 + 12345;
        in[i] = i < 40 || (x >> 16) % 16 == 0 ? (uint8_t)('a' + (x >> 24) % 20) : in[i - 40];
    }
    int length = compress();
    int whole = expand(length);
    printf("%d %d %d\n", N, length, whole == N && memcmp(in, back, N) == 0);
    return 0;
}
