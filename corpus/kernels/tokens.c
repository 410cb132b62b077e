// Splits generated text into words and hashes each. Control: data. Sizes: 1000 10000 100000.
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#ifndef N
#define N 10000
#endif
static char text[N + 1];
static int bucket[64];
int main(void) {
    for (int i = 0; i < N; i++) text[i] = "lorem ipsum dolor sit amet, consectetur "[(i * 3 + i / 11) % 40];
    int words = 0;
    const char *p = text;
    while (*p) {
        while (*p && !isalpha((unsigned char)*p)) p++;
        unsigned h = 5381;
        const char *start = p;
        while (isalpha((unsigned char)*p)) h = h * 33 + (unsigned char)*p++;
        if (p > start) {
            words++;
            bucket[h % 64]++;
        }
    }
    int most = 0;
    for (int i = 0; i < 64; i++) most = bucket[i] > most ? bucket[i] : most;
    printf("%d %d\n", words, most);
    return 0;
}
