// Does nothing: what is left is start-up.
int main(void) { return 0; }
