// Inlining: objects whose method is called through a table, of three kinds in random order (`call_indirect` with three targets).
#include "kernel.h"
#include "visit.h"

i64 run(i32 n) { return visit_all(n, 3); }
