// On-stack replacement: many loops after one another in one call, each hot for some milliseconds and then left for good.
#include "kernel.h"

#define WORDS 4096

static u32 words[WORDS];

// One loop with constants of its own; the empty statement of assembly keeps the copies apart.
#define PHASE(factor, shift)                                       \
    for (i32 pass = 0; pass < n; pass++)                           \
        for (i32 i = 1; i < WORDS; i++) {                          \
            words[i] = words[i] * factor + (words[i - 1] >> shift); \
            if (words[i] & 1) count++;                             \
        }                                                          \
    __asm__ volatile("");

i64 run(i32 n) {
    u32 count = 0, state = 99;
    for (i32 i = 0; i < WORDS; i++) words[i] = next_random(&state);
    PHASE(3, 1) PHASE(5, 2) PHASE(7, 3) PHASE(9, 4) PHASE(11, 5) PHASE(13, 6) PHASE(15, 7) PHASE(17, 8)
    PHASE(19, 9) PHASE(21, 10) PHASE(23, 11) PHASE(25, 12) PHASE(27, 13) PHASE(29, 14) PHASE(31, 15) PHASE(33, 16)
    u64 sum = count;
    for (i32 i = 0; i < WORDS; i++) sum = mix(sum, words[i]);
    return (i64)sum;
}
