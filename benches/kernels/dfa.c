// Branches: a table-driven automaton that splits n passes of 64 kB of text into words, numbers, strings and comments.
#include "kernel.h"

enum { BLANK, LETTER, DIGIT, QUOTE, SLASH, NEWLINE, OTHER, CLASSES };
enum { START, WORD, NUMBER, STRING, MAYBE, COMMENT, SYMBOL, STATES };
#define SIZE 65536

static u8 class_of[256], next[STATES][CLASSES], text[SIZE];

static void tables(void) {
    for (int c = 0; c < 256; c++)
        class_of[c] = c == '\n' ? NEWLINE : c == ' ' || c == '\t' ? BLANK : c == '"' ? QUOTE : c == '/' ? SLASH
                    : (c | 32) >= 'a' && (c | 32) <= 'z' ? LETTER : c >= '0' && c <= '9' ? DIGIT : OTHER;
    static const u8 fresh[CLASSES] = { START, WORD, NUMBER, STRING, MAYBE, START, SYMBOL };
    for (int s = 0; s < STATES; s++)
        for (int c = 0; c < CLASSES; c++) next[s][c] = fresh[c];
    next[WORD][DIGIT] = WORD;
    next[NUMBER][LETTER] = NUMBER;
    next[MAYBE][SLASH] = COMMENT;
    for (int c = 0; c < CLASSES; c++) {
        next[STRING][c] = c == QUOTE || c == NEWLINE ? START : STRING;
        next[COMMENT][c] = c == NEWLINE ? START : COMMENT;
    }
}

i64 run(i32 n) {
    tables();
    static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz    \n\n0123456789+-*()=;,./\"_ABCDEF/";
    u32 seed = 77;
    for (u32 i = 0; i < SIZE; i++) text[i] = (u8)alphabet[next_random(&seed) % (sizeof alphabet - 1)];
    u64 sum = 0;
    u32 state = START;
    for (i32 pass = 0; pass < n; pass++) {
        u32 count[STATES] = { 0 };
        for (u32 i = 0; i < SIZE; i++) {
            u32 to = next[state][class_of[text[i]]];
            if (to != state) count[to]++;
            state = to;
        }
        for (int s = 0; s < STATES; s++) sum = mix(sum, count[s]);
    }
    return (i64)sum;
}
