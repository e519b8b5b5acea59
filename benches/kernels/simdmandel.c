// SIMD: the Mandelbrot set with four single-precision points at a time, n x n of them (f32x4 arithmetic and masks).
#include "kernel.h"

typedef float f32x4 __attribute__((vector_size(16)));
typedef i32 i32x4 __attribute__((vector_size(16)));

i64 run(i32 n) {
    u64 sum = 0;
    const f32x4 lane = { 0.0f, 1.0f, 2.0f, 3.0f };
    float step = 3.0f / (float)n;
    for (i32 row = 0; row < n; row++) {
        f32x4 ci = (f32x4){} + (2.5f * (float)row / (float)n - 1.25f);
        i32x4 line = {};
        for (i32 column = 0; column < n; column += 4) {
            f32x4 cr = (lane + (float)column) * step - 2.1f, zr = {}, zi = {};
            i32x4 count = {};
            for (int i = 0; i < 200; i++) {
                f32x4 rr = zr * zr, ii = zi * zi;
                i32x4 inside = rr + ii <= 4.0f;
                if (!(inside[0] | inside[1] | inside[2] | inside[3])) break;
                count -= inside;
                zi = (zr + zr) * zi + ci;
                zr = rr - ii + cr;
            }
            line = line * 31 + count;
        }
        sum = mix(sum, (u32)line[0] | (u64)(u32)line[1] << 32);
        sum = mix(sum, (u32)line[2] | (u64)(u32)line[3] << 32);
    }
    return (i64)sum;
}
