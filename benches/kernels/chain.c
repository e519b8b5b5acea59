// Memory: a linked list of 4096 records (256 kB) in random order, followed n times round while its values change.
#include "kernel.h"

#define RECORDS 4096
typedef struct Record { struct Record *next; u32 value; u8 padding[52]; } Record;
static Record record[RECORDS];
static u32 order[RECORDS];

i64 run(i32 n) {
    u32 seed = 2024;
    for (u32 i = 0; i < RECORDS; i++) order[i] = i;
    for (u32 i = RECORDS - 1; i > 0; i--) {
        u32 j = next_random(&seed) % (i + 1), t = order[i];
        order[i] = order[j];
        order[j] = t;
    }
    for (u32 i = 0; i < RECORDS; i++) {
        record[order[i]].next = &record[order[(i + 1) % RECORDS]];
        record[order[i]].value = i;
    }
    u64 sum = 0;
    Record *at = &record[0];
    for (i32 round = 0; round < n; round++) {
        u32 odd = 0;
        for (u32 i = 0; i < RECORDS; i++) {
            at->value = at->value * 5 + odd;
            if (at->value & 16) odd++;
            at = at->next;
        }
        sum = mix(sum, odd + at->value);
    }
    return (i64)sum;
}
