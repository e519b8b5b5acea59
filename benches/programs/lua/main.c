// A small stand-alone Lua: `lua SCRIPT [ARGS...]` runs the script with its arguments in `arg`; an error prints its message and exits 1.
#include "lua.h"
#include "lauxlib.h"
#include "lualib.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void bench_lua_fail(lua_State *L, int status) {
    const char *text = lua_gettop(L) > 0 ? lua_tostring(L, -1) : NULL;
    fflush(stdout);
    fprintf(stderr, "lua: %s (status %d)\n", text ? text : "error", status);
    exit(1);
}

int main(int argc, char **argv) {
    if (argc < 2) {
        fprintf(stderr, "usage: lua SCRIPT [ARGS...]\n");
        return 2;
    }
    lua_State *L = luaL_newstate();
    if (!L) return 2;
    luaL_openlibs(L);
    lua_createtable(L, argc - 2, 1);
    for (int i = 1; i < argc; i++) {
        lua_pushstring(L, argv[i]);
        lua_rawseti(L, -2, i - 1);
    }
    lua_setglobal(L, "arg");
    int status = luaL_loadfile(L, argv[1]);
    if (status != LUA_OK) bench_lua_fail(L, status);
    lua_call(L, 0, 0);
    lua_close(L);
    return 0;
}
