// Included before every file of Lua. Lua throws by longjmp, which on wasm32-wasi would need Wasm exceptions;
// instead an error ends the program, so scripts must not rely on pcall or error to go on.
#ifndef BENCH_LUA_SHIM_H
#define BENCH_LUA_SHIM_H

struct lua_State;
_Noreturn void bench_lua_fail(struct lua_State *L, int status);

#define LUAI_THROW(L, c) bench_lua_fail(L, (c)->status)
#define LUAI_TRY(L, c, a) { (void)(c); a }
#define luai_jmpbuf int

// The same hash seed in every run, so that pairs() visits in the same order.
#define luai_makeseed(L) 42u

#endif
