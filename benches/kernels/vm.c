// Branches: a stack machine's bytecode interpreted by one big switch; the program counts the steps of the Collatz sequences
// of all numbers below n.
#include "kernel.h"

enum { PUSH, LOAD, STORE, ADD, MUL, SHR, AND, LESS, JUMP, JUMPZ, HALT };

// Locals: 0 is i, 1 is x, 2 counts the steps, 3 is n. The numbers in the comments are byte offsets, the jump targets.
static const u8 program[] = {
    PUSH, 1, STORE, 0,                   //  0: i = 1
    LOAD, 0, LOAD, 3, LESS, JUMPZ, 64,   //  4: while i < n
    LOAD, 0, STORE, 1,                   // 11:   x = i
    PUSH, 1, LOAD, 1, LESS, JUMPZ, 55,   // 15:   while 1 < x
    LOAD, 1, PUSH, 1, AND, JUMPZ, 39,    // 22:     if x is odd
    LOAD, 1, PUSH, 3, MUL, PUSH, 1, ADD, // 29:       3 x + 1
    JUMP, 44,                            // 37:     else
    LOAD, 1, PUSH, 1, SHR,               // 39:       x >> 1
    STORE, 1,                            // 44:     is the new x
    LOAD, 2, PUSH, 1, ADD, STORE, 2,     // 46:     steps = steps + 1
    JUMP, 15,                            // 53
    LOAD, 0, PUSH, 1, ADD, STORE, 0,     // 55:   i = i + 1
    JUMP, 4,                             // 62
    HALT,                                // 64
};

static NOINLINE u64 interpret(const u8 *code, u64 *local) {
    u64 stack[16], *top = stack;
    for (const u8 *pc = code;;) {
        switch (*pc++) {
        case PUSH: *top++ = *pc++; break;
        case LOAD: *top++ = local[*pc++]; break;
        case STORE: local[*pc++] = *--top; break;
        case ADD: top--; top[-1] += top[0]; break;
        case MUL: top--; top[-1] *= top[0]; break;
        case SHR: top--; top[-1] >>= top[0]; break;
        case AND: top--; top[-1] &= top[0]; break;
        case LESS: top--; top[-1] = top[-1] < top[0]; break;
        case JUMP: pc = code + *pc; break;
        case JUMPZ: pc = *--top ? pc + 1 : code + *pc; break;
        default: return local[2];
        }
    }
}

i64 run(i32 n) {
    u64 local[8] = { 0, 0, 0, (u64)(u32)n };
    return (i64)interpret(program, local);
}
