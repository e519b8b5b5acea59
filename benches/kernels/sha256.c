// Integer: SHA-256 (FIPS 180-4) over n kilobytes of generated data (rotates, long dependency chains, unrolled rounds).
#include "kernel.h"

// Fractional parts of the cube roots of the first 64 primes, and of the square roots of the first eight.
static u32 k[64], initial[8];

// The first 32 fractional bits of a root by Newton's method: with 3 integer bits, a double's 53 are plenty.
static u32 fraction(u32 prime, int cubic) {
    double p = (double)prime, x = p;
    for (int step = 0; step < 40; step++) x = cubic ? x - (x * x * x - p) / (3.0 * x * x) : x - (x * x - p) / (2.0 * x);
    return (u32)((x - (double)(u32)x) * 4294967296.0);
}

static void tables(void) {
    int found = 0;
    for (u32 candidate = 2; found < 64; candidate++) {
        int prime = 1;
        for (u32 d = 2; d * d <= candidate; d++)
            if (candidate % d == 0) { prime = 0; break; }
        if (!prime) continue;
        k[found] = fraction(candidate, 1);
        if (found < 8) initial[found] = fraction(candidate, 0);
        found++;
    }
}

static inline u32 rotate(u32 x, int by) { return x >> by | x << (32 - by); }

static NOINLINE void block(u32 state[8], const u8 *data) {
    u32 w[64];
    for (int i = 0; i < 16; i++)
        w[i] = (u32)data[4 * i] << 24 | (u32)data[4 * i + 1] << 16 | (u32)data[4 * i + 2] << 8 | data[4 * i + 3];
    for (int i = 16; i < 64; i++) {
        u32 s0 = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3;
        u32 s1 = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10;
        w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
    u32 a = state[0], b = state[1], c = state[2], d = state[3];
    u32 e = state[4], f = state[5], g = state[6], h = state[7];
    for (int i = 0; i < 64; i++) {
        u32 t1 = h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & f) ^ (~e & g)) + k[i] + w[i];
        u32 t2 = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
        h = g; g = f; f = e; e = d + t1;
        d = c; c = b; b = a; a = t1 + t2;
    }
    state[0] += a; state[1] += b; state[2] += c; state[3] += d;
    state[4] += e; state[5] += f; state[6] += g; state[7] += h;
}

i64 run(i32 n) {
    static u8 data[1024];
    tables();
    u32 state[8], seed = 7;
    for (int i = 0; i < 8; i++) state[i] = initial[i];
    for (int i = 0; i < 1024; i++) data[i] = (u8)next_random(&seed);
    for (i32 kilobyte = 0; kilobyte < n; kilobyte++) {
        data[kilobyte & 1023] ^= (u8)state[0];
        for (int at = 0; at < 1024; at += 64) block(state, data + at);
    }
    return (i64)((u64)state[0] << 32 | (state[7] ^ state[3]));
}
