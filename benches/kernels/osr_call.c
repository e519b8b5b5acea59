// On-stack replacement: a loop entered once that calls a function with several values live across the call.
#include "kernel.h"

static NOINLINE u32 step(u32 a, u32 b) { return (a << 5 | a >> 27) * 0x85ebca6bu + (b ^ a >> 13); }

i64 run(i32 n) {
    u32 a = 1, b = 2, c = 3;
    u64 sum = 0;
    for (i64 left = (i64)n * 10000; left > 0; left--) {
        u32 next = step(a, b + (u32)left);
        a = b ^ c;
        b = c + 7;
        c = next;
        sum += next;
    }
    return (i64)mix(sum, a ^ b ^ c);
}
