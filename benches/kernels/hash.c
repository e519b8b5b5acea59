// Integer and memory: an open-addressing hash map of 64-bit keys, n thousand inserts, lookups and deletions.
#include "kernel.h"

#define SLOTS (1 << 15)
static u64 keys[SLOTS]; // 0 is empty, 1 is deleted
static u32 values[SLOTS];

static inline u32 home(u64 key) {
    key ^= key >> 33;
    key *= 0xff51afd7ed558ccdull;
    key ^= key >> 33;
    return (u32)key & (SLOTS - 1);
}

static NOINLINE u32 find(u64 key) {
    for (u32 at = home(key);; at = (at + 1) & (SLOTS - 1)) {
        if (keys[at] == key) return at;
        if (keys[at] == 0) return SLOTS;
    }
}

static NOINLINE void put(u64 key, u32 value) {
    u32 at = find(key);
    if (at == SLOTS)
        for (at = home(key); keys[at] > 1; at = (at + 1) & (SLOTS - 1)) {}
    keys[at] = key;
    values[at] += value;
}

i64 run(i32 n) {
    u64 sum = 0;
    u32 seed = 2463534242u;
    for (i32 round = 0; round < n; round++) {
        // Tombstones fill the table, so it starts empty again now and then.
        if (round % 24 == 0)
            for (u32 i = 0; i < SLOTS; i++) { keys[i] = 0; values[i] = 0; }
        for (int i = 0; i < 1000; i++) {
            u32 random = next_random(&seed);
            put((u64)(random % 20011) * 0x100000001ull + 2, random >> 7);
            u32 at = find((u64)(random % 17011) * 0x100000001ull + 2);
            if (at != SLOTS) {
                sum = mix(sum, values[at]);
                if ((random & 7) == 0) { keys[at] = 1; values[at] = 0; }
            }
        }
    }
    return (i64)sum;
}
