// Integer: deterministic Miller-Rabin tests of n odd 31-bit numbers (64-bit multiplication and remainder).
#include "kernel.h"

static u64 power(u64 base, u64 exponent, u64 modulus) {
    u64 result = 1;
    base %= modulus;
    for (; exponent; exponent >>= 1) {
        if (exponent & 1) result = result * base % modulus;
        base = base * base % modulus;
    }
    return result;
}

static NOINLINE int prime(u64 candidate) {
    static const u32 witness[3] = { 2, 7, 61 }; // enough below 2^32
    u64 odd = candidate - 1;
    int twos = 0;
    while (!(odd & 1)) { odd >>= 1; twos++; }
    for (int i = 0; i < 3; i++) {
        if (witness[i] % candidate == 0) continue;
        u64 x = power(witness[i], odd, candidate);
        if (x == 1 || x == candidate - 1) continue;
        int passed = 0;
        for (int round = 1; round < twos && !passed; round++) {
            x = x * x % candidate;
            passed = x == candidate - 1;
        }
        if (!passed) return 0;
    }
    return 1;
}

i64 run(i32 n) {
    u64 sum = 0;
    for (i32 i = 0; i < n; i++) {
        u64 candidate = 0x7ffffffful - 2 * (u64)i;
        if (prime(candidate)) sum = mix(sum, candidate);
    }
    return (i64)sum;
}
