// Prints the wall clock in nanoseconds as its first and as its last act: what lies before and after is the runtime's.
#include <stdio.h>
#include <time.h>

int main(void) {
    struct timespec first, last;
    clock_gettime(CLOCK_REALTIME, &first);
    printf("%lld%09ld\n", (long long)first.tv_sec, first.tv_nsec);
    clock_gettime(CLOCK_REALTIME, &last);
    printf("%lld%09ld\n", (long long)last.tv_sec, last.tv_nsec);
    return 0;
}
