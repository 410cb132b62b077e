// Never ends: only a deadline or an interrupt does.
int main(void) {
    volatile unsigned counter = 0;
    for (;;) counter++;
}
