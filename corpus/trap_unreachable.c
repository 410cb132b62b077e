// Reaches the instruction that is never reached.
int main(void) { __builtin_trap(); }
