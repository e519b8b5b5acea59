// On-stack replacement: three loops in one another over memory (shortest paths in a small graph, again and again), where the
// inner ones are entered often and the outer one once.
#include "kernel.h"

#define SIZE 64

static u32 distance[SIZE][SIZE];

i64 run(i32 n) {
    u32 state = 12345;
    u64 sum = 0;
    for (i32 round = 0; round < n; round++) {
        for (i32 i = 0; i < SIZE; i++)
            for (i32 j = 0; j < SIZE; j++) distance[i][j] = next_random(&state) >> 8;
        for (i32 k = 0; k < SIZE; k++)
            for (i32 i = 0; i < SIZE; i++)
                for (i32 j = 0; j < SIZE; j++) {
                    u32 through = distance[i][k] + distance[k][j];
                    if (through < distance[i][j]) distance[i][j] = through;
                }
        sum = mix(sum, distance[round % SIZE][3]);
    }
    return (i64)sum;
}
