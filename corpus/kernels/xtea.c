// XTEA, there and back. Held out. Control: fixed. Sizes: 20 200 2000.
#include <stdint.h>
#include <stdio.h>
#ifndef N
#define N 200
#endif
static void encipher(unsigned rounds, uint32_t v[2], uint32_t const key[4]) {
    uint32_t v0 = v[0], v1 = v[1], sum = 0, delta = 0x9E3779B9;
    for (unsigned i = 0; i < rounds; i++) {
        v0 += (((v1 << 4) ^ (v1 >> 5)) + v1) ^ (sum + key[sum & 3]);
        sum += delta;
        v1 += (((v0 << 4) ^ (v0 >> 5)) + v0) ^ (sum + key[(sum >> 11) & 3]);
    }
    v[0] = v0; v[1] = v1;
}
static void decipher(unsigned rounds, uint32_t v[2], uint32_t const key[4]) {
    uint32_t v0 = v[0], v1 = v[1], delta = 0x9E3779B9, sum = delta * rounds;
    for (unsigned i = 0; i < rounds; i++) {
        v1 -= (((v0 << 4) ^ (v0 >> 5)) + v0) ^ (sum + key[(sum >> 11) & 3]);
        sum -= delta;
        v0 -= (((v1 << 4) ^ (v1 >> 5)) + v1) ^ (sum + key[sum & 3]);
    }
    v[0] = v0; v[1] = v1;
}
static uint32_t data[N][2];
int main(void) {
    static const uint32_t key[4] = {0x01234567, 0x89abcdef, 0xfedcba98, 0x76543210};
    for (int i = 0; i < N; i++) { data[i][0] = i; data[i][1] = ~i; }
    for (int i = 0; i < N; i++) encipher(32, data[i], key);
    uint32_t mix = 0;
    for (int i = 0; i < N; i++) mix ^= data[i][0] + data[i][1];
    for (int i = 0; i < N; i++) decipher(32, data[i], key);
    int good = 0;
    for (int i = 0; i < N; i++) good += data[i][0] == (uint32_t)i && data[i][1] == ~(uint32_t)i;
    printf("%08x %d\n", (unsigned)mix, good);
    return 0;
}
