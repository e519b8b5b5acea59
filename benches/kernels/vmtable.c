// Branches and indirect calls: a register machine whose instructions are functions in a table, called one by one; n rounds
// of a program that fills and sums an array.
#include "kernel.h"

typedef struct Machine { u64 reg[8]; u32 pc; u32 running; u32 memory[256]; } Machine;
typedef struct { u8 op, a, b, c; } Instruction;
typedef void Handler(Machine *, const Instruction *);

static void op_set(Machine *m, const Instruction *i) { m->reg[i->a] = i->b; }
static void op_add(Machine *m, const Instruction *i) { m->reg[i->a] = m->reg[i->b] + m->reg[i->c]; }
static void op_mul(Machine *m, const Instruction *i) { m->reg[i->a] = m->reg[i->b] * m->reg[i->c]; }
static void op_xor(Machine *m, const Instruction *i) { m->reg[i->a] = m->reg[i->b] ^ m->reg[i->c]; }
static void op_shift(Machine *m, const Instruction *i) { m->reg[i->a] = m->reg[i->b] >> i->c; }
static void op_load(Machine *m, const Instruction *i) { m->reg[i->a] = m->memory[m->reg[i->b] & 255]; }
static void op_store(Machine *m, const Instruction *i) { m->memory[m->reg[i->b] & 255] = (u32)m->reg[i->a]; }
static void op_less(Machine *m, const Instruction *i) { if (m->reg[i->a] < m->reg[i->b]) m->pc = i->c; }
static void op_halt(Machine *m, const Instruction *i) { m->running = i->a; }

enum { SET, ADD, MUL, XOR, SHIFT, LOAD, STORE, LESS, HALT };
static Handler *const handlers[] = { op_set, op_add, op_mul, op_xor, op_shift, op_load, op_store, op_less, op_halt };

static const Instruction program[] = {
    { SET, 0, 0, 0 },   // i = 0
    { SET, 1, 1, 0 },   // one = 1
    { SET, 2, 251, 0 }, // limit
    { MUL, 3, 7, 2 },   // 3: value = seed * limit
    { ADD, 3, 3, 0 },   //    + i
    { SHIFT, 4, 3, 3 }, //    xor its own shift
    { XOR, 7, 3, 4 },   //    is the next seed
    { STORE, 7, 0, 0 },
    { ADD, 0, 0, 1 },
    { LESS, 0, 2, 3 },  // while i < limit
    { SET, 0, 0, 0 },
    { LOAD, 4, 0, 0 },  // 11: sum = sum + memory[i]
    { ADD, 6, 6, 4 },
    { ADD, 0, 0, 1 },
    { LESS, 0, 2, 11 }, // while i < limit
    { HALT, 0, 0, 0 },
};

static NOINLINE void execute(Machine *m, Handler *const *table) {
    m->pc = 0;
    m->running = 1;
    while (m->running) {
        const Instruction *instruction = &program[m->pc++];
        table[instruction->op](m, instruction);
    }
}

i64 run(i32 n) {
    static Machine machine;
    for (int i = 0; i < 8; i++) machine.reg[i] = 0;
    machine.reg[7] = 12345;
    for (i32 round = 0; round < n; round++) execute(&machine, handlers);
    return (i64)mix(machine.reg[6], machine.reg[7]);
}
