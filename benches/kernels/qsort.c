// Branches: quicksort by a comparison callback and insertion sort for short runs, n times over 20,000 words.
#include "kernel.h"

#define SIZE 20000
static u32 item[SIZE];

static NOINLINE int by_value(u32 a, u32 b) { return a < b ? -1 : a > b; }
static NOINLINE int by_low_half(u32 a, u32 b) { return by_value(a << 16 | a >> 16, b << 16 | b >> 16); }

typedef int Compare(u32, u32);

static void sort(u32 *low, u32 *high, Compare *compare) {
    while (high - low > 12) {
        u32 pivot = low[(high - low) / 2], *i = low, *j = high;
        while (i <= j) {
            while (compare(*i, pivot) < 0) i++;
            while (compare(pivot, *j) < 0) j--;
            if (i <= j) { u32 t = *i; *i++ = *j; *j-- = t; }
        }
        if (j - low < high - i) { sort(low, j, compare); low = i; } else { sort(i, high, compare); high = j; }
    }
    for (u32 *i = low + 1; i <= high; i++) {
        u32 value = *i, *j = i;
        for (; j > low && compare(value, j[-1]) < 0; j--) *j = j[-1];
        *j = value;
    }
}

i64 run(i32 n) {
    static Compare *const orders[2] = { by_value, by_low_half };
    u64 sum = 0;
    u32 seed = 31337;
    for (i32 round = 0; round < n; round++) {
        for (u32 i = 0; i < SIZE; i++) item[i] = next_random(&seed);
        sort(item, item + SIZE - 1, orders[round & 1]);
        for (u32 i = 0; i < SIZE; i += 97) sum = mix(sum, item[i]);
    }
    return (i64)sum;
}
