// FNV-1a and djb2 hashes over generated strings: byte loads and multiplies.
#include <stdint.h>
#include <stdio.h>

int main(void) {
    uint64_t fnv = 14695981039346656037ull;
    uint32_t djb = 5381;
    char text[64];
    for (int i = 0; i < 20000; i++) {
        int length = snprintf(text, sizeof text, "key-%d/%x", i, i * 2654435761u);
        for (int round = 0; round < 8; round++)
            for (int j = 0; j < length; j++) {
                fnv = (fnv ^ (uint8_t)text[j]) * 1099511628211ull;
                djb = djb * 33 + (uint8_t)text[j];
            }
    }
    printf("%016llx %08x\n", (unsigned long long)fnv, djb);
    return 0;
}
