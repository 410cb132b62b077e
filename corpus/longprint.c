// Prints 200 000 numbered lines.
#include <stdio.h>

int main(void) {
    for (int i = 0; i < 200000; i++) printf("line %06d of many, %08x\n", i, (unsigned)i * 2654435761u);
    return 0;
}
