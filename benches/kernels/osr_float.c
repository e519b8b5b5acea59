// On-stack replacement: doubles, single-precision numbers and integers live in one loop entered once.
#include "kernel.h"

i64 run(i32 n) {
    double x = 0.3, y = 0.7, energy = 0;
    float drift = 0.25f;
    u32 inside = 0;
    for (i64 left = (i64)n * 10000; left > 0; left--) {
        double next = 3.7 * x * (1.0 - x);
        y = y * 0.5 + next * 0.25;
        drift = drift * 0.75f + 0.125f;
        if (next > y) inside++;
        energy += y * (double)drift;
        x = next;
    }
    return (i64)mix(mix(bits(energy), bits(x)), inside);
}
