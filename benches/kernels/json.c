// Branches, calls and bytes: writes a JSON document of 300 records, then parses it n times by recursive descent into nodes,
// checks them and sums the numbers.
#include "kernel.h"

typedef enum { NUL, BOOL, NUMBER, STRING, ARRAY, OBJECT } Kind;
typedef struct Node { Kind kind; u32 length; double number; const char *text; struct Node *child, *sibling; } Node;

static char document[128 * 1024];
static Node nodes[16 * 1024];
static u32 used, written;
static const char *at;

static void put(const char *text) { while (*text) document[written++] = *text++; }

static void put_number(u32 value) {
    char digits[10];
    int count = 0;
    do digits[count++] = (char)('0' + value % 10); while (value /= 10);
    while (count) document[written++] = digits[--count];
}

static void write_document(void) {
    u32 seed = 4711;
    written = 0;
    put("[");
    for (int i = 0; i < 300; i++) {
        put(i ? ",\n  {\"id\": " : "\n  {\"id\": ");
        put_number((u32)i);
        put(", \"name\": \"record \\\"");
        put_number(next_random(&seed) % 100000);
        put("\\\"\", \"ok\": ");
        put(next_random(&seed) & 1 ? "true" : "false");
        put(", \"none\": null, \"position\": [");
        for (int j = 0; j < 6; j++) {
            if (j) put(", ");
            if (next_random(&seed) & 1) put("-");
            put_number(next_random(&seed) % 1000);
            put(".");
            put_number(next_random(&seed) % 1000);
        }
        put("], \"tags\": {\"a\": [], \"b\": {}, \"c\": \"x\\ty\"}}");
    }
    put("\n]\n");
    document[written] = 0;
}

static void blank(void) { while (*at == ' ' || *at == '\n' || *at == '\t' || *at == '\r') at++; }

static Node *node(Kind kind) {
    Node *fresh = &nodes[used++];
    *fresh = (Node){ .kind = kind };
    return fresh;
}

static int word(const char *expected) {
    const char *p = at;
    while (*expected && *p == *expected) { p++; expected++; }
    if (*expected) return 0;
    at = p;
    return 1;
}

static Node *number(void) {
    Node *result = node(NUMBER);
    double sign = 1.0, value = 0.0, unit = 1.0;
    if (*at == '-') { sign = -1.0; at++; }
    while (*at >= '0' && *at <= '9') value = value * 10.0 + (*at++ - '0');
    if (*at == '.')
        for (at++; *at >= '0' && *at <= '9'; at++) { unit *= 0.1; value += unit * (*at - '0'); }
    result->number = sign * value;
    return result;
}

static Node *string(void) {
    Node *result = node(STRING);
    result->text = ++at;
    while (*at && *at != '"') at += *at == '\\' ? 2 : 1;
    result->length = (u32)(at - result->text);
    if (*at) at++;
    return result;
}

static Node *value(void);

static Node *list(Kind kind, char close) {
    Node *result = node(kind), **last = &result->child;
    at++;
    blank();
    while (*at && *at != close) {
        if (kind == OBJECT) {
            *last = string();
            last = &(*last)->sibling;
            blank();
            at++; // the colon
        }
        *last = value();
        last = &(*last)->sibling;
        result->length++;
        blank();
        if (*at == ',') at++;
        blank();
    }
    if (*at) at++;
    return result;
}

static Node *value(void) {
    blank();
    switch (*at) {
    case '{': return list(OBJECT, '}');
    case '[': return list(ARRAY, ']');
    case '"': return string();
    case 't': case 'f': {
        Node *result = node(BOOL);
        result->number = word("true") ? 1.0 : 0.0;
        if (result->number == 0.0) word("false");
        return result;
    }
    case 'n': word("null"); return node(NUL);
    default: return number();
    }
}

static double total(const Node *tree) {
    double sum = tree->number + tree->length;
    for (const Node *child = tree->child; child; child = child->sibling) sum += total(child);
    return sum;
}

i64 run(i32 n) {
    write_document();
    u64 sum = 0;
    for (i32 round = 0; round < n; round++) {
        used = 0;
        at = document;
        sum = mix(sum, bits(total(value())) + used);
        // One digit changes each round.
        document[11] = (char)('0' + round % 10);
    }
    return (i64)sum;
}
