// Shapes with a small method each, for the kernels that call one through a table.
#ifndef VISIT_H
#define VISIT_H

#include "kernel.h"

#define SHAPES 600

typedef struct Shape Shape;
struct Shape {
    u32 (*visit)(Shape *shape, u32 sum);
    u32 width, height, seen;
};

static Shape shapes[SHAPES];

static u32 visit_square(Shape *shape, u32 sum) { return sum + shape->width * shape->width; }
static u32 visit_rectangle(Shape *shape, u32 sum) { return sum + shape->width * shape->height; }
static u32 visit_line(Shape *shape, u32 sum) {
    shape->seen++;
    return sum ^ shape->height;
}

static u32 (*volatile const KINDS[3])(Shape *, u32) = { visit_rectangle, visit_square, visit_line };

// Visits all shapes n times; they are of the first `kinds` kinds.
static inline i64 visit_all(i32 n, u32 kinds) {
    u32 state = 5, sum = 0;
    for (u32 i = 0; i < SHAPES; i++) {
        u32 size = next_random(&state);
        shapes[i] = (Shape){ KINDS[next_random(&state) % kinds], size & 1023, size >> 22, 0 };
    }
    for (i32 round = 0; round < n; round++)
        for (u32 i = 0; i < SHAPES; i++) sum = shapes[i].visit(&shapes[i], sum);
    u64 folded = sum;
    for (u32 i = 0; i < SHAPES; i++) folded = mix(folded, shapes[i].seen);
    return (i64)folded;
}

#endif
