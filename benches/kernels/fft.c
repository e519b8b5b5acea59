// Float: n forward and inverse in-place radix-2 transforms of 4096 complex doubles (strided loads and stores).
#include "kernel.h"

#define LOG 12
#define SIZE (1 << LOG)
static double re[SIZE], im[SIZE], wr[SIZE / 2], wi[SIZE / 2];

// Roots of unity by repeated half-angle and product, so that no library sine is needed.
static void roots(void) {
    double c = -1.0, s = 0.0; // the angle pi
    wr[0] = 1.0;
    wi[0] = 0.0;
    for (int span = SIZE / 2; span > 1; span /= 2) {
        // (c, s) becomes the root of half the angle; it sits at index span / 2.
        double half = __builtin_sqrt((1.0 + c) * 0.5);
        s = span == SIZE / 2 ? 1.0 : s / (2.0 * half);
        c = half;
        for (int i = span / 2; i < SIZE / 2; i += span) {
            double pr = wr[i - span / 2], pi = wi[i - span / 2];
            wr[i] = pr * c - pi * s;
            wi[i] = pr * s + pi * c;
        }
    }
}

static NOINLINE void transform(double sign) {
    for (u32 i = 0, j = 0; i < SIZE; i++) {
        if (i < j) {
            double t = re[i]; re[i] = re[j]; re[j] = t;
            t = im[i]; im[i] = im[j]; im[j] = t;
        }
        u32 bit = SIZE >> 1;
        while (bit && (j & bit)) { j ^= bit; bit >>= 1; }
        j |= bit;
    }
    for (int half = 1; half < SIZE; half *= 2) {
        int stride = SIZE / 2 / half;
        for (int base = 0; base < SIZE; base += 2 * half)
            for (int k = 0; k < half; k++) {
                double cr = wr[k * stride], ci = sign * wi[k * stride];
                int p = base + k, q = p + half;
                double tr = re[q] * cr - im[q] * ci, ti = re[q] * ci + im[q] * cr;
                re[q] = re[p] - tr; im[q] = im[p] - ti;
                re[p] += tr; im[p] += ti;
            }
    }
}

i64 run(i32 n) {
    roots();
    u32 seed = 99;
    for (int i = 0; i < SIZE; i++) {
        re[i] = (double)(next_random(&seed) & 0xffff) / 65536.0;
        im[i] = 0.0;
    }
    u64 sum = 0;
    for (i32 round = 0; round < n; round++) {
        transform(-1.0);
        sum = mix(mix(sum, bits(re[round & (SIZE - 1)])), bits(im[SIZE / 3]));
        transform(1.0);
        for (int i = 0; i < SIZE; i++) { re[i] *= 1.0 / SIZE; im[i] *= 1.0 / SIZE; }
    }
    return (i64)mix(sum, bits(re[1]));
}
