// Calls and memory: n rounds of building, walking and dropping binary trees of depth 14 from a bump allocator.
#include "kernel.h"

typedef struct Node { struct Node *left, *right; u32 value; } Node;

static Node pool[1 << 15];
static u32 used;

static NOINLINE Node *allocate(void) { return &pool[used++]; }

static Node *build(int depth, u32 value) {
    Node *node = allocate();
    node->value = value;
    node->left = depth ? build(depth - 1, value * 2 + 1) : 0;
    node->right = depth ? build(depth - 1, value * 3 + 7) : 0;
    return node;
}

static u32 walk(const Node *node) {
    if (!node->left) return node->value;
    return walk(node->left) + 3 * walk(node->right) + node->value;
}

i64 run(i32 n) {
    u64 sum = 0;
    for (i32 round = 0; round < n; round++) {
        used = 0;
        sum = mix(sum, walk(build(13, (u32)round)));
    }
    return (i64)sum;
}
