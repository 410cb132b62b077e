// One line on standard output.
#include <stdio.h>

int main(void) {
    puts("hello");
    return 0;
}
