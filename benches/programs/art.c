// Text art: `art [FRAMES]` prints frames of a turning torus, shaded with characters (after Andy Sloane's idea, written anew).
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 72, HEIGHT = 26 };

static void frame(double a, double b) {
    static char picture[HEIGHT][WIDTH + 1];
    static double nearness[HEIGHT][WIDTH];
    memset(nearness, 0, sizeof nearness);
    for (int y = 0; y < HEIGHT; y++) {
        memset(picture[y], ' ', WIDTH);
        picture[y][WIDTH] = 0;
    }
    double ca = cos(a), sa = sin(a), cb = cos(b), sb = sin(b);
    for (double ring = 0.0; ring < 6.283; ring += 0.05) {
        double cr = cos(ring), sr = sin(ring);
        for (double turn = 0.0; turn < 6.283; turn += 0.015) {
            double ct = cos(turn), st = sin(turn), radius = 2.0 + cr;
            // The point, turned about two axes, and its normal turned the same way.
            double x = radius * (cb * ct + sa * sb * st) - sr * ca * sb;
            double y = radius * (sb * ct - sa * cb * st) + sr * ca * cb;
            double near = 1.0 / (6.0 + ca * radius * st + sr * sa);
            double light = ct * cr * sb - ca * st * cr - sa * sr + cb * (ca * sr - st * cr * sa);
            int column = (int)(WIDTH / 2 + 52.0 * near * x), row = (int)(HEIGHT / 2 - 24.0 * near * y);
            if (column < 0 || column >= WIDTH || row < 0 || row >= HEIGHT || near <= nearness[row][column]) continue;
            nearness[row][column] = near;
            int shade = (int)(light * 8.0);
            picture[row][column] = ".,-~:;=!*#$@"[shade < 0 ? 0 : shade > 11 ? 11 : shade];
        }
    }
    for (int y = 0; y < HEIGHT; y++) puts(picture[y]);
}

int main(int argc, char **argv) {
    int frames = argc > 1 ? atoi(argv[1]) : 1;
    for (int i = 0; i < frames; i++) frame(1.0 + 0.07 * i, 0.5 + 0.03 * i);
    return 0;
}
