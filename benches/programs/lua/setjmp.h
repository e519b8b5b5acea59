// Stands in front of the system's header, which does not exist without exception handling. Nothing here jumps: see shim.h.
#ifndef BENCH_SETJMP_H
#define BENCH_SETJMP_H
typedef int jmp_buf;
#endif
