// On-stack replacement: 128-bit vectors live in one loop entered once (four generators at a time).
#include "kernel.h"

typedef u32 lanes __attribute__((vector_size(16)));

i64 run(i32 n) {
    lanes state = { 1, 22, 333, 4444 }, sum = { 0, 0, 0, 0 };
    u32 flips = 0;
    for (i64 left = (i64)n * 10000; left > 0; left--) {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        sum += state * 2654435761u;
        flips ^= (u32)left;
    }
    u64 folded = flips;
    for (i32 lane = 0; lane < 4; lane++) folded = mix(mix(folded, sum[lane]), state[lane]);
    return (i64)folded;
}
