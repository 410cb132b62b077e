// A small stack machine run by a switch. Control: data. Sizes: 100 1000 10000.
#include <stdio.h>
#ifndef N
#define N 1000
#endif
enum { PUSH, ADD, SUB, DUP, SWAP, JNZ, LOAD, STORE, MUL, HALT };
static const int program[] = {PUSH, N, STORE, 0, PUSH, 0, STORE, 1, LOAD, 1, LOAD, 0, DUP, MUL, ADD, STORE, 1,
                              LOAD, 0, PUSH, 1, SUB, DUP, STORE, 0, JNZ, 8, LOAD, 1, HALT};
int main(void) {
    int stack[16], memory[4] = {0}, sp = 0, pc = 0, t;
    for (;;) {
        switch (program[pc++]) {
        case PUSH: stack[sp++] = program[pc++]; break;
        case ADD: sp--; stack[sp - 1] += stack[sp]; break;
        case SUB: sp--; stack[sp - 1] -= stack[sp]; break;
        case MUL: sp--; stack[sp - 1] *= stack[sp]; break;
        case DUP: stack[sp] = stack[sp - 1]; sp++; break;
        case SWAP: t = stack[sp - 1]; stack[sp - 1] = stack[sp - 2]; stack[sp - 2] = t; break;
        case JNZ: if (stack[--sp]) pc = program[pc]; else pc++; break;
        case LOAD: stack[sp++] = memory[program[pc++]]; break;
        case STORE: memory[program[pc++]] = stack[--sp]; break;
        case HALT: printf("%d\n", stack[sp - 1]); return 0;
        }
    }
}
