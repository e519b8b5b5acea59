// Float: five bodies under their own gravity, n steps of a leapfrog integrator (square roots and divisions).
#include "kernel.h"

#define BODIES 5
typedef struct { double x, y, z, vx, vy, vz, mass; } Body;

static const Body start[BODIES] = {
    { 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 39.5 },
    { 4.8, -1.2, -0.1, 0.6, 2.8, -0.02, 0.0377 },
    { 8.3, 4.1, -0.4, -1.0, 1.8, 0.008, 0.0113 },
    { 12.9, -15.1, -0.2, 1.1, 0.9, -0.01, 0.0017 },
    { 15.4, -25.9, 0.2, 1.0, 0.6, -0.03, 0.0020 },
};
static Body body[BODIES];

static NOINLINE void step(double dt) {
    for (int i = 0; i < BODIES; i++) {
        Body *p = &body[i];
        for (int j = i + 1; j < BODIES; j++) {
            Body *q = &body[j];
            double dx = p->x - q->x, dy = p->y - q->y, dz = p->z - q->z;
            double square = dx * dx + dy * dy + dz * dz;
            double pull = dt / (square * __builtin_sqrt(square));
            p->vx -= dx * q->mass * pull;
            p->vy -= dy * q->mass * pull;
            p->vz -= dz * q->mass * pull;
            q->vx += dx * p->mass * pull;
            q->vy += dy * p->mass * pull;
            q->vz += dz * p->mass * pull;
        }
    }
    for (int i = 0; i < BODIES; i++) {
        body[i].x += dt * body[i].vx;
        body[i].y += dt * body[i].vy;
        body[i].z += dt * body[i].vz;
    }
}

i64 run(i32 n) {
    for (int i = 0; i < BODIES; i++) body[i] = start[i];
    for (i32 i = 0; i < n; i++) step(0.001);
    u64 sum = 0;
    for (int i = 0; i < BODIES; i++) sum = mix(mix(sum, bits(body[i].x)), bits(body[i].vy));
    return (i64)sum;
}
