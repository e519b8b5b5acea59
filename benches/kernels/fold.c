// Inlining: one loop that is handed small functions with their data (`for_each` with a closure), each from a place of its own.
#include "kernel.h"

#define COUNT 1024

typedef u32 (*Function)(u32 *data, u32 value);

static u32 values[COUNT];

static u32 add(u32 *data, u32 value) { return *data += value; }
static u32 most(u32 *data, u32 value) { return *data = value > *data ? value : *data; }
static u32 flip(u32 *data, u32 value) { return *data ^= value << (*data & 7); }

static Function volatile functions[3] = { add, most, flip };

static NOINLINE u32 for_each(Function function, u32 *data) {
    u32 last = 0;
    for (u32 i = 0; i < COUNT; i++) last = function(data, values[i]);
    return last;
}

i64 run(i32 n) {
    u32 state = 3, data[3] = { 0, 0, 1 };
    u64 sum = 0;
    for (u32 i = 0; i < COUNT; i++) values[i] = next_random(&state);
    for (i32 round = 0; round < n; round++) {
        u32 which = (u32)round % 3;
        sum = mix(sum, for_each(functions[which], &data[which]));
    }
    return (i64)sum;
}
