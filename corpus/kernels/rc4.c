// RC4 keystream over a buffer. Held out. Control: fixed. Sizes: 700 7000 70000.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifndef N
#define N 7000
#endif
typedef unsigned char u8;
struct rc4 { u8 s[256]; u8 i, j; };
static void setup(struct rc4 *c, const u8 *key, int length) {
    for (int i = 0; i < 256; i++) c->s[i] = (u8)i;
    u8 j = 0;
    for (int i = 0; i < 256; i++) {
        j += c->s[i] + key[i % length];
        u8 t = c->s[i];
        c->s[i] = c->s[j];
        c->s[j] = t;
    }
    c->i = c->j = 0;
}
static void crypt(struct rc4 *c, u8 *p, int n) {
    while (n-- > 0) {
        c->j += c->s[++c->i];
        u8 t = c->s[c->i];
        c->s[c->i] = c->s[c->j];
        c->s[c->j] = t;
        *p++ ^= c->s[(u8)(c->s[c->i] + c->s[c->j])];
    }
}
int main(void) {
    struct rc4 c;
    const char *key = "Secret";
    u8 *p = calloc(N, 1);
    setup(&c, (const u8 *)key, strlen(key));
    crypt(&c, p, N);
    printf("%02x%02x%02x%02x\n", p[0], p[1], p[2], p[N - 1]);
    free(p);
    return 0;
}
