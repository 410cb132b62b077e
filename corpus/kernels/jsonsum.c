// Writes a JSON text and sums its numbers by recursive descent. Held out later. Control: data. Sizes: 30 300 3000.
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#ifndef N
#define N 300
#endif
static char text[N * 64 + 16];
static const char *at;
static long depth_seen;
static void space(void) { while (*at == ' ' || *at == '\n') at++; }
static long value(long depth) {
    if (depth > depth_seen) depth_seen = depth;
    space();
    long sum = 0;
    if (*at == '{' || *at == '[') {
        char close = *at == '{' ? '}' : ']';
        at++;
        space();
        while (*at != close) {
            if (close == '}') {
                value(depth + 1);
                space();
                at++;
            }
            sum += value(depth + 1);
            space();
            if (*at == ',') at++;
            space();
        }
        at++;
    } else if (*at == '"') {
        at++;
        while (*at != '"') at += *at == '\\' ? 2 : 1;
        at++;
    } else if (isdigit((unsigned char)*at) || *at == '-') {
        int minus = *at == '-';
        at += minus;
        while (isdigit((unsigned char)*at)) sum = sum * 10 + (*at++ - '0');
        if (minus) sum = -sum;
    } else {
        while (isalpha((unsigned char)*at)) at++;
    }
    return sum;
}
int main(void) {
    char *out = text;
    *out++ = '[';
    for (int i = 0; i < N; i++) {
        out += sprintf(out, "%s{\"id\": %d, \"tags\": [\"a%d\", true, null], \"n\": -%d}", i ? ", " : "", i, i % 7, i % 3);
    }
    *out++ = ']';
    *out = 0;
    at = text;
    long sum = value(0);
    printf("%ld %ld\n", sum, depth_seen);
    return 0;
}
