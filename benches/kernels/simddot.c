// SIMD: n dot products of 4096 floats with four accumulators, and of 16-bit integers (multiply, widen, add).
#include "kernel.h"

typedef float f32x4 __attribute__((vector_size(16)));
typedef int16_t i16x8 __attribute__((vector_size(16)));
typedef int16_t i16x4 __attribute__((vector_size(8)));
typedef i32 i32x4 __attribute__((vector_size(16)));

#define SIZE 4096
static f32x4 fa[SIZE / 4], fb[SIZE / 4];
static i16x8 ia[SIZE / 8], ib[SIZE / 8];

static NOINLINE float dot_float(void) {
    f32x4 s0 = {}, s1 = {}, s2 = {}, s3 = {};
    for (int i = 0; i < SIZE / 4; i += 4) {
        s0 += fa[i] * fb[i];
        s1 += fa[i + 1] * fb[i + 1];
        s2 += fa[i + 2] * fb[i + 2];
        s3 += fa[i + 3] * fb[i + 3];
    }
    s0 = s0 + s1 + (s2 + s3);
    return s0[0] + s0[1] + s0[2] + s0[3];
}

static NOINLINE i32 dot_int(void) {
    i32x4 sum = {};
    for (int i = 0; i < SIZE / 8; i++) {
        i16x8 a = ia[i], b = ib[i];
        i32x4 low = __builtin_convertvector(__builtin_shufflevector(a, a, 0, 1, 2, 3), i32x4)
                  * __builtin_convertvector(__builtin_shufflevector(b, b, 0, 1, 2, 3), i32x4);
        i32x4 high = __builtin_convertvector(__builtin_shufflevector(a, a, 4, 5, 6, 7), i32x4)
                   * __builtin_convertvector(__builtin_shufflevector(b, b, 4, 5, 6, 7), i32x4);
        sum += low + high;
    }
    return sum[0] + sum[1] + sum[2] + sum[3];
}

i64 run(i32 n) {
    u32 seed = 17;
    for (int i = 0; i < SIZE; i++) {
        fa[i / 4][i % 4] = (float)(next_random(&seed) % 512) / 512.0f;
        fb[i / 4][i % 4] = (float)(next_random(&seed) % 512) / 512.0f - 0.5f;
        ia[i / 8][i % 8] = (int16_t)(next_random(&seed) % 200);
        ib[i / 8][i % 8] = (int16_t)(next_random(&seed) % 200 - 100);
    }
    u64 sum = 0;
    for (i32 i = 0; i < n; i++) {
        fa[i % (SIZE / 4)][0] += 0.25f;
        ia[i % (SIZE / 8)][0] ^= 1;
        sum = mix(sum, bits((double)dot_float()) + (u32)dot_int());
    }
    return (i64)sum;
}
