// Prints its arguments (after its name) and its environment, one a line.
#include <stdio.h>

extern char **environ;

int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) printf("argument %d: %s\n", i, argv[i]);
    for (char **entry = environ; *entry; entry++) printf("environment: %s\n", *entry);
    return 0;
}
