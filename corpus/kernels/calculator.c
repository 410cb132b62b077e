// Expressions written out as text and calculated by recursive descent. Held out third. Control: data. Sizes: 20 200 2000.
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#ifndef N
#define N 200
#endif
static const char *at;
static unsigned x = 17;
static unsigned draw(unsigned below) {
    x = x * 1664525u + 1013904223u;
    return (x >> 16) % below;
}
static long sum(void);
static void blanks(void) { while (isspace((unsigned char)*at)) at++; }
static long atom(void) {
    blanks();
    if (*at == '-') return at++, -atom();
    if (*at == '(') {
        at++;
        long value = sum();
        blanks();
        if (*at == ')') at++;
        return value;
    }
    long value = 0;
    while (isdigit((unsigned char)*at)) value = value * 10 + (*at++ - '0');
    return value;
}
static long product(void) {
    long value = atom();
    for (;;) {
        blanks();
        if (*at == '*') at++, value = value * atom() % 1000003;
        else if (*at == '/') {
            at++;
            long by = atom();
            value = by ? value / by : value;
        } else return value;
    }
}
static long sum(void) {
    long value = product();
    for (;;) {
        blanks();
        if (*at == '+') at++, value += product();
        else if (*at == '-') at++, value -= product();
        else return value;
    }
}
static char *write(char *out, int depth) {
    int terms = 1 + (int)draw(3);
    for (int k = 0; k < terms; k++) {
        if (k) {
            *out++ = ' ';
            *out++ = "+-*/"[draw(4)];
            *out++ = ' ';
        }
        if (depth && draw(3) == 0) {
            *out++ = '(';
            out = write(out, depth - 1);
            *out++ = ')';
        } else {
            for (unsigned digits = 1 + draw(4); digits; digits--) *out++ = (char)('1' + draw(9));
        }
    }
    *out = 0;
    return out;
}
int main(void) {
    static char text[4096];
    long all = 0;
    for (int i = 0; i < N; i++) {
        write(text, 3);
        at = text;
        all = (all * 31 + sum()) % 1000003;
    }
    printf("%ld\n", all);
    return 0;
}
