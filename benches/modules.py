"""The real modules: which files, and what is called first in each of them."""

import paths
import wasmfile
from engines import asked

# The first call where there is no `_start`: an export that does something small without the host, and its i32 arguments.
FIRST_CALLS = {
    "sqlite3": ["sqlite3_initialize"],
    "resvg": ["__wbindgen_malloc", "16", "1"],
    "esbuild": ["getsp"],
    "swc": ["__wbindgen_add_to_stack_pointer", "-16"],
    "biome": ["__wbindgen_malloc_command_export", "16", "1"],
    "php": ["__wasm_call_ctors"],
}
BIG = 8.0  # MB; larger ones only on request, as Cranelift needs up to a minute each


def files(options) -> list:
    """The modules by size."""
    found = {file.stem: file for folder in [paths.MODULES, paths.PROGRAMS] for file in folder.glob("*.wasm")}
    by_size = sorted(found.values(), key=lambda file: file.stat().st_size)
    return [file for file in by_size if asked(file.stem, options) and (options.only or options.big or megabytes(file) < BIG)]


def megabytes(file) -> float:
    """Size of the file."""
    return file.stat().st_size / 1e6


def first_call(file) -> list:
    """The export to call and its arguments; nothing where no call is known to be safe, so that the instance is the end."""
    if "_start" in wasmfile.facts(file).exports:
        return ["_start"]
    return FIRST_CALLS.get(file.stem, [])
