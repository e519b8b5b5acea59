// Float: escape times of an n x n view of the Mandelbrot set, at most 200 iterations a point (a tight dependent loop).
#include "kernel.h"

i64 run(i32 n) {
    u64 sum = 0;
    for (i32 row = 0; row < n; row++) {
        double ci = 2.5 * row / n - 1.25;
        u32 line = 0;
        for (i32 column = 0; column < n; column++) {
            double cr = 3.0 * column / n - 2.1, zr = 0.0, zi = 0.0;
            u32 count = 0;
            while (count < 200) {
                double rr = zr * zr, ii = zi * zi;
                if (rr + ii > 4.0) break;
                zi = 2.0 * zr * zi + ci;
                zr = rr - ii + cr;
                count++;
            }
            line = line * 31 + count;
        }
        sum = mix(sum, line);
    }
    return (i64)sum;
}
