// Memory: n rounds of block copies, overlapping moves and fills of many sizes (memory.copy and memory.fill).
#include "kernel.h"

#define SIZE (256 * 1024)
static u8 buffer[2 * SIZE];

i64 run(i32 n) {
    u32 seed = 11;
    for (u32 i = 0; i < 2 * SIZE; i++) buffer[i] = (u8)i;
    u64 sum = 0;
    for (i32 round = 0; round < n; round++) {
        u32 random = next_random(&seed), from = random % SIZE, size = 1u << (4 + random % 13);
        __builtin_memcpy(buffer + SIZE, buffer + from % (SIZE - size), size);
        __builtin_memmove(buffer + from % (SIZE - size), buffer + from % (SIZE - size) + 3, size - 3);
        __builtin_memset(buffer + (from * 7) % (SIZE - size), (int)(random & 255), size / 2);
        sum = mix(sum, buffer[from] + ((u64)buffer[SIZE + size - 1] << 8));
    }
    return (i64)sum;
}
