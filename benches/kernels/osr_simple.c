// On-stack replacement: one loop in registers, entered once (three independent generators and what they add up to).
#include "kernel.h"

i64 run(i32 n) {
    u64 a = 0x2545f4914f6cdd1dull, b = 0x9e3779b97f4a7c15ull, sum = 0;
    u32 c = 77;
    for (i64 left = (i64)n * 100000; left > 0; left--) {
        a ^= a << 7;
        a ^= a >> 9;
        b = b * 0xd1342543de82ef95ull + (u64)left;
        next_random(&c);
        sum += (a ^ b) + (c & 0xff);
    }
    return (i64)mix(sum, a ^ b ^ c);
}
