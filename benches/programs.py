"""The real programs: what each is given, and a run of one of them in an engine."""

import hashlib
import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import engines
import measure
import paths
import upshift

INPUTS = paths.BENCHES / "programs"


@dataclass
class Program:
    """One command line. `dirs` maps a guest path to a host folder; `/work` is always there, a fresh folder that starts with
    copies of `inputs` and whose files are compared afterwards. `timed`: long enough to measure."""

    name: str
    file: str
    args: list
    inputs: list = field(default_factory=list)
    dirs: dict = field(default_factory=dict)
    env: dict = field(default_factory=dict)
    stdin: bytes = b""
    timed: bool = False


SYNTHESIS = "read_verilog /work/blinky.v; synth_ice40 -top top -json /work/out.json; tee -o /work/stat.txt stat"
TEXT = b"The quick brown fox\njumps over the lazy dog 0123456789\n" * 400

PROGRAMS = [
    Program("yosys", "yosys.wasm", ["-q", "-p", SYNTHESIS], inputs=["blinky.v"], timed=True,
            dirs={"/share": paths.PROGRAMS / "share", "/tmp": paths.WORK / "tmp"}),
    Program("boolector", "boolector.wasm", ["/work/factor.smt2"], inputs=["factor.smt2"], timed=True),
    Program("lua", "lua.wasm", ["/work/work.lua", "6"], inputs=["lua/work.lua"], timed=True),
    Program("sqlite", "sqlite.wasm", [":memory:", "50000"], timed=True),
    Program("sqlite-file", "sqlite.wasm", ["/work/data.db", "20000"], timed=True),
    Program("art", "art.wasm", ["60"], timed=True),
    Program("hello", "hello.wasm", []),
    Program("hello-args", "hello.wasm", ["args", "one", "two words", "", "d\u00e9j\u00e0 vu", "-x", "--dir"]),
    Program("hello-env", "hello.wasm", ["env"], env={"LANG": "C", "EMPTY": "", "WITH": "a=b c"}),
    Program("hello-upper", "hello.wasm", ["upper"], stdin=TEXT),
    Program("hello-cat", "hello.wasm", ["cat", "/work/blinky.v", "/work/factor.smt2"], inputs=["blinky.v", "factor.smt2"]),
    Program("hello-cat-missing", "hello.wasm", ["cat", "/work/missing"]),
    Program("hello-write", "hello.wasm", ["write", "/work/new.txt", "first", "second", "third"]),
    Program("hello-list", "hello.wasm", ["list", "/work"], inputs=["blinky.v", "factor.smt2", "hello.c"]),
    Program("hello-tree", "hello.wasm", ["tree", "/work"]),
    Program("hello-seek", "hello.wasm", ["seek", "/work/blinky.v"], inputs=["blinky.v"]),
    Program("hello-errors", "hello.wasm", ["errors", "/work"]),
    Program("hello-clock", "hello.wasm", ["clock"]),
    Program("hello-random", "hello.wasm", ["random"]),
    Program("hello-exit", "hello.wasm", ["exit", "42"]),
    Program("hello-trap", "hello.wasm", ["trap"]),
    Program("hello-deep", "hello.wasm", ["deep"]),
    Program("hello-unknown", "hello.wasm", ["what?"]),
]

ENGINES = [*upshift.OPTIONS, "cranelift", "cranelift-cached", "winch", "wasmi", "node", "node-liftoff", "bun"]


def command(engine: str, program: Program, work: Path) -> list:
    """The command line that runs the program in the engine."""
    file = paths.PROGRAMS / program.file
    dirs = {**program.dirs, "/work": work}
    if engines.is_javascript(engine):
        # A script is given only what the program may see; argument 0 is the file's path, as elsewhere.
        options = {"file": str(file), "args": [str(file), *program.args], "env": program.env,
                   "dirs": {guest: str(host) for guest, host in dirs.items()}}
        return engines.javascript(engine, "wasi.mjs", json.dumps(options))
    runner = upshift.run(engine) if engines.ours(engine) else [paths.PEERS, engine.removesuffix("-cached"), "run"]
    if engine.endswith("-cached"):
        runner += ["--cache", paths.CACHE / "wasmtime-cache"]
    for guest, host in dirs.items():
        runner += ["--dir", f"{host}::{guest}"]
    for key, value in program.env.items():
        runner += ["--env", f"{key}={value}"]
    return [*runner, file, *program.args]


def files(folder: Path) -> dict:
    """What is in a folder, by path: kind, and a digest of the content of files or the target of links."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = f"link to {path.readlink()}"
        elif path.is_dir():
            found[name] = "folder"
        else:
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def run(engine: str, program: Program, limit=None) -> tuple:
    """Runs the program once in a fresh work folder, for `limit` seconds at most. Returns the run and everything that another
    engine must repeat."""
    work = paths.WORK / engine
    for folder in [work, paths.WORK / "tmp"]:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    for name in program.inputs:
        shutil.copy(INPUTS / name, work)
    done = measure.process(command(engine, program, work), stdin=program.stdin,
                           env=upshift.environment.get(engine), limit=limit)
    return done, {"exit code": done.code, "output": done.out, "files": files(work)}


def differences(expected: dict, got: dict) -> list:
    """What differs, in words."""
    found = []
    if expected["exit code"] != got["exit code"]:
        found.append(f"exit code {got['exit code']} instead of {expected['exit code']}")
    if expected["output"] != got["output"]:
        pairs = zip(expected["output"].split(b"\n"), got["output"].split(b"\n"))
        line = next((f"{b!r} instead of {a!r}" for a, b in pairs if a != b), "shorter or longer")
        found.append(f"output: {line}")
    names = expected["files"].keys() | got["files"].keys()
    changed = sorted(name for name in names if expected["files"].get(name) != got["files"].get(name))
    if changed:
        found.append(f"files: {', '.join(changed[:5])}")
    return found
