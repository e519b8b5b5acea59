// Float: a dense matrix product in doubles, the textbook triple loop in i-k-j order, n times over 96 x 96 matrices.
#include "kernel.h"

#define SIDE 96
static double a[SIDE][SIDE], b[SIDE][SIDE], c[SIDE][SIDE];

static NOINLINE void multiply(void) {
    for (int i = 0; i < SIDE; i++) {
        for (int j = 0; j < SIDE; j++) c[i][j] = 0.0;
        for (int k = 0; k < SIDE; k++) {
            double factor = a[i][k];
            for (int j = 0; j < SIDE; j++) c[i][j] += factor * b[k][j];
        }
    }
}

i64 run(i32 n) {
    u32 seed = 12345;
    for (int i = 0; i < SIDE; i++)
        for (int j = 0; j < SIDE; j++) {
            a[i][j] = (double)(next_random(&seed) % 1000) / 1000.0 - 0.5;
            b[i][j] = (double)(next_random(&seed) % 1000) / 1000.0 - 0.5;
        }
    u64 sum = 0;
    for (i32 round = 0; round < n; round++) {
        multiply();
        // The next round's left matrix depends on this product, so no round can be dropped.
        int row = round % SIDE;
        for (int j = 0; j < SIDE; j++) a[row][j] = c[row][SIDE - 1 - j] * 0.125;
        sum = mix(sum, bits(c[row][round * 7 % SIDE]));
    }
    return (i64)sum;
}
