// Inlining: a sort that is told how to compare by a function, as the C library's is (`call_indirect` in the inner loops).
#include "kernel.h"

#define COUNT 20000

typedef struct { u32 key, rank; } Item;
typedef i32 (*Compare)(const Item *a, const Item *b);

static Item items[COUNT];

static i32 by_key(const Item *a, const Item *b) { return a->key < b->key ? -1 : a->key > b->key; }
static i32 by_rank(const Item *a, const Item *b) { return a->rank < b->rank ? -1 : a->rank > b->rank; }

static Compare volatile orders[2] = { by_key, by_rank };

static NOINLINE void sort(Item *low, Item *high, Compare compare) {
    while (high - low > 12) {
        Item pivot = low[(high - low) / 2], *left = low, *right = high - 1;
        while (left <= right) {
            while (compare(left, &pivot) < 0) left++;
            while (compare(&pivot, right) < 0) right--;
            if (left <= right) {
                Item swapped = *left;
                *left++ = *right;
                *right-- = swapped;
            }
        }
        sort(low, right + 1, compare);
        low = left;
    }
    for (Item *next = low + 1; next < high; next++) {
        Item moved = *next, *hole = next;
        for (; hole > low && compare(&moved, hole - 1) < 0; hole--) *hole = hole[-1];
        *hole = moved;
    }
}

i64 run(i32 n) {
    u32 state = 77;
    u64 sum = 0;
    for (i32 round = 0; round < n; round++) {
        for (u32 i = 0; i < COUNT; i++) items[i] = (Item){ next_random(&state), next_random(&state) };
        sort(items, items + COUNT, orders[round & 1]);
        for (u32 i = 0; i < COUNT; i += 500) sum = mix(sum, round & 1 ? items[i].rank : items[i].key);
    }
    return (i64)sum;
}
