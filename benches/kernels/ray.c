// Float, with calls and structs by pointer: an n x n picture of mirrored spheres over a checkered floor.
#include "kernel.h"

typedef struct { double x, y, z; } Vec;
typedef struct { Vec center; double radius, shine; } Sphere;

#define SPHERES 9
static Sphere sphere[SPHERES];

static Vec add(Vec a, Vec b) { return (Vec){ a.x + b.x, a.y + b.y, a.z + b.z }; }
static Vec sub(Vec a, Vec b) { return (Vec){ a.x - b.x, a.y - b.y, a.z - b.z }; }
static Vec scale(Vec a, double k) { return (Vec){ a.x * k, a.y * k, a.z * k }; }
static double dot(Vec a, Vec b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
static Vec unit(Vec a) { return scale(a, 1.0 / __builtin_sqrt(dot(a, a))); }

// Distance along a ray of unit direction to the sphere, or a negative number.
static NOINLINE double hit(const Sphere *s, const Vec *from, const Vec *way) {
    Vec to = sub(s->center, *from);
    double along = dot(to, *way), gap = s->radius * s->radius - dot(to, to) + along * along;
    if (gap < 0.0) return -1.0;
    double root = __builtin_sqrt(gap);
    return along - root > 1e-6 ? along - root : along + root > 1e-6 ? along + root : -1.0;
}

static double trace(Vec from, Vec way, int depth) {
    double best = 1e9;
    const Sphere *found = 0;
    for (int i = 0; i < SPHERES; i++) {
        double far = hit(&sphere[i], &from, &way);
        if (far > 0.0 && far < best) { best = far; found = &sphere[i]; }
    }
    if (way.y < -1e-6 && from.y > 0.0 && -from.y / way.y < best) {
        Vec at = add(from, scale(way, -from.y / way.y));
        int check = ((int)(at.x + 1000.0) + (int)(at.z + 1000.0)) & 1;
        return check ? 0.9 : 0.2;
    }
    if (!found) return 0.5 + 0.5 * way.y;
    Vec at = add(from, scale(way, best)), normal = unit(sub(at, found->center));
    double light = dot(normal, (Vec){ 0.57735, 0.57735, -0.57735 });
    double colour = light > 0.1 ? light : 0.1;
    if (depth == 0) return colour;
    Vec mirror = sub(way, scale(normal, 2.0 * dot(way, normal)));
    return colour * (1.0 - found->shine) + found->shine * trace(at, mirror, depth - 1);
}

i64 run(i32 n) {
    for (int i = 0; i < SPHERES; i++) {
        Vec center = { (i % 3 - 1) * 2.2, 1.0 + 0.3 * (i / 3), 3.0 + 2.0 * (i / 3) };
        sphere[i] = (Sphere){ center, 0.9 + 0.05 * i, 0.3 + 0.05 * i };
    }
    u64 sum = 0;
    for (i32 y = 0; y < n; y++)
        for (i32 x = 0; x < n; x++) {
            Vec way = unit((Vec){ 2.0 * x / n - 1.0, 1.0 - 2.0 * y / n, 1.5 });
            sum = mix(sum, (u64)(i64)(trace((Vec){ 0.0, 1.5, -3.0 }, way, 4) * 4096.0));
        }
    return (i64)sum;
}
