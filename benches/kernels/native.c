// The native side of every kernel: calls run(n) REPS times and prints the checksum and each call's thread CPU seconds
// as one JSON object. Usage: KERNEL N REPS
#include "kernel.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double thread_cpu(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: %s N REPS\n", argv[0]);
        return 2;
    }
    i32 n = atoi(argv[1]), reps = atoi(argv[2]);
    i64 sum = 0;
    printf("{\"cpu\": [");
    for (i32 rep = 0; rep < reps; rep++) {
        double start = thread_cpu();
        sum = run(n);
        printf("%s%.9f", rep ? ", " : "", thread_cpu() - start);
    }
    printf("], \"result\": %lld}\n", (long long)sum);
    return 0;
}
