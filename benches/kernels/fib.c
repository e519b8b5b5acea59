// Calls: Fibonacci numbers by double recursion, the n-th (direct calls and nothing else).
#include "kernel.h"

static NOINLINE i64 fib(i32 n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }

i64 run(i32 n) { return fib(n); }
