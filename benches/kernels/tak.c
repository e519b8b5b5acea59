// Inlining: a function of three arguments that calls itself four times (Takeuchi's), and nothing else.
#include "kernel.h"

static NOINLINE i32 tak(i32 x, i32 y, i32 z) {
    return y >= x ? z : tak(tak(x - 1, y, z), tak(y - 1, z, x), tak(z - 1, x, y));
}

i64 run(i32 n) { return tak(n, n * 2 / 3, n / 3); }
