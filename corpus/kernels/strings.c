// Builds, joins, searches and compares strings with the C library. Held out. Control: data. Sizes: 10 100 1000.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifndef N
#define N 100
#endif
int main(void) {
    char *all = malloc(N * 12 + 1), line[32];
    size_t used = 0;
    all[0] = 0;
    for (int i = 0; i < N; i++) {
        snprintf(line, sizeof line, "item%d;", i * i % 1000);
        memcpy(all + used, line, strlen(line) + 1);
        used += strlen(line);
    }
    int hits = 0, fields = 0, order = 0;
    for (const char *p = all; (p = strstr(p, "m1")) != NULL; p++) hits++;
    char last[32] = "";
    for (char *f = strtok(all, ";"); f; f = strtok(NULL, ";")) {
        fields++;
        order += strcmp(last, f) < 0;
        strcpy(last, f);
    }
    printf("%d %d %d %d\n", (int)used, hits, fields, order);
    free(all);
    return 0;
}
