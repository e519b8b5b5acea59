// Memory: n generations of the game of life on a 256 x 256 torus, one byte a cell.
#include "kernel.h"

#define SIDE 256
static u8 grid[2][SIDE][SIDE];

static NOINLINE u32 generation(u8 (*from)[SIDE], u8 (*to)[SIDE]) {
    u32 alive = 0;
    for (int y = 0; y < SIDE; y++) {
        const u8 *up = from[(y - 1) & (SIDE - 1)], *row = from[y], *down = from[(y + 1) & (SIDE - 1)];
        for (int x = 0; x < SIDE; x++) {
            int w = (x - 1) & (SIDE - 1), e = (x + 1) & (SIDE - 1);
            int around = up[w] + up[x] + up[e] + row[w] + row[e] + down[w] + down[x] + down[e];
            u8 cell = around == 3 || (around == 2 && row[x]);
            to[y][x] = cell;
            alive += cell;
        }
    }
    return alive;
}

i64 run(i32 n) {
    u32 seed = 42;
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) grid[0][y][x] = next_random(&seed) % 3 == 0;
    u64 sum = 0;
    for (i32 i = 0; i < n; i++) sum = mix(sum, generation(grid[i & 1], grid[~i & 1]));
    return (i64)sum;
}
