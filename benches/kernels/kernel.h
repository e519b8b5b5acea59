// What every kernel shares: short integer names, the export mark, a random sequence and a checksum step.
//
// A kernel is freestanding C with one export, `int64_t run(int32_t n)`: it does an amount of work that grows with
// `n` and returns a checksum that is the same on every machine (no fused multiply-add, no fast-math, no libm).
// `run` may be called many times in one instance and must return the same value each time for the same `n`.
#ifndef KERNEL_H
#define KERNEL_H

#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t i32;
typedef int64_t i64;

#define EXPORT __attribute__((visibility("default"), noinline))
#define NOINLINE __attribute__((noinline))

// Marsaglia's xorshift: the whole state is one non-zero word.
static inline u32 next_random(u32 *state) {
    u32 x = *state;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return *state = x;
}

// Folds one word into a running checksum (a multiply by an odd constant and a rotate, so order matters).
static inline u64 mix(u64 sum, u64 word) {
    sum = (sum ^ word) * 0x9e3779b97f4a7c15ull;
    return sum << 29 | sum >> 35;
}

// The bits of a double, to put floating-point results into a checksum exactly.
static inline u64 bits(double x) {
    union { double f; u64 u; } both = { x };
    return both.u;
}

EXPORT i64 run(i32 n);

#endif
