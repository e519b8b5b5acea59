// Inlining: a loop over objects that only reads and writes through small functions, as in object-oriented code.
#include "kernel.h"

#define COUNT 512

typedef struct { i32 x, y, hits; } Point;

static Point points[COUNT];

static NOINLINE i32 get_x(const Point *point) { return point->x; }
static NOINLINE i32 get_y(const Point *point) { return point->y; }
static NOINLINE void set_x(Point *point, i32 value) { point->x = value; }
static NOINLINE void set_y(Point *point, i32 value) { point->y = value; }
static NOINLINE void hit(Point *point) { point->hits++; }
static NOINLINE Point *at(u32 index) { return &points[index % COUNT]; }

i64 run(i32 n) {
    u32 state = 7;
    for (u32 i = 0; i < COUNT; i++) points[i] = (Point){ (i32)next_random(&state), (i32)next_random(&state), 0 };
    for (i32 round = 0; round < n; round++)
        for (u32 i = 0; i < COUNT; i++) {
            Point *point = at(i), *next = at(i + 1);
            set_x(point, get_x(point) + (get_y(next) >> 3));
            set_y(point, get_y(point) ^ get_x(next));
            if (get_x(point) > get_y(point)) hit(point);
        }
    u64 sum = 0;
    for (u32 i = 0; i < COUNT; i++) sum = mix(sum, (u64)(u32)points[i].x ^ (u64)(u32)points[i].hits << 32);
    return (i64)sum;
}
