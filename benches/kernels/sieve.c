// Integer and memory: the sieve of Eratosthenes over 512 Ki odd numbers held in bytes, n times; counts the primes.
#include "kernel.h"

#define SIZE (512 * 1024)
static u8 composite[SIZE]; // entry i stands for 2 i + 1

i64 run(i32 n) {
    u64 sum = 0;
    for (i32 round = 0; round < n; round++) {
        for (u32 i = 0; i < SIZE; i++) composite[i] = 0;
        for (u32 i = 1; 2 * i * (i + 1) < SIZE; i++) {
            if (composite[i]) continue;
            for (u32 j = 2 * i * (i + 1); j < SIZE; j += 2 * i + 1) composite[j] = 1;
        }
        u32 count = 1; // the prime 2
        for (u32 i = 1; i < SIZE; i++) count += !composite[i];
        sum = mix(sum, count + (u32)round);
    }
    return (i64)sum;
}
