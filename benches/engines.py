"""Which engines there are, what runs something in each of them, and what went wrong."""

import functools
import sys

import measure
import paths
import upshift

BASE = "cranelift"  # wasmtime's optimizing compiler: what ratios are to, unless a table says otherwise
ALL = [
    *upshift.OPTIONS, "upshift-api", "upshift-api-lazy", "cranelift", "cranelift-cached", "winch", "wasmi", "wasmi-lazy", "native",
    "node", "node-liftoff", "node-turbofan", "node-no-inlining", "bun",
]
# V8's options. In `compile` all functions are compiled at once, as the other engines there do.
NODE = {
    "node": [],
    "node-liftoff": ["--liftoff-only"],
    "node-turbofan": ["--no-liftoff", "--no-wasm-dynamic-tiering"],
    "node-no-inlining": ["--no-wasm-inlining", "--no-wasm-inlining-call-indirect"],
}
EAGER = ["--no-wasm-lazy-compilation"]

failures = []  # Upshift's own: run.py then ends with exit code 1
notes = []  # what was left out


def progress(text):
    """Says on standard error what is being done."""
    print(text, file=sys.stderr, flush=True)


def note(text):
    """Remembers something that the reader of the tables must know."""
    if text not in notes:
        notes.append(text)
        progress(f"note: {text}")


def ours(engine: str) -> bool:
    """Whether it is Upshift in some tier or form."""
    return engine.startswith("upshift")


def wrong(engine, text):
    """Notes that an engine computed something else or failed; only Upshift's failures are failures of the run."""
    if ours(engine):
        failures.append(f"{engine}: {text}")
        progress(f"WRONG: {engine}: {text}")
    else:
        note(f"{engine}: {text}")


@functools.cache
def missing(engine: str) -> str | None:
    """Why an engine cannot run here; None if it can."""
    if ours(engine):
        return upshift.missing(engine)
    if engine in NODE:
        return None if paths.node() else "no Node: `fetch.py engines`"
    if engine == "bun":
        return None if paths.BUN.exists() else "no Bun: `fetch.py engines`"
    if engine == "native":
        return None
    return None if paths.PEERS.exists() else "not built: `fetch.py peers`"


def chosen(known: list, options, unless_asked=()) -> list:
    """The known engines that were asked for with --engines, or else all but `unless_asked`; only those that can run."""
    wanted = options.engines.split(",") if options.engines else [engine for engine in known if engine not in unless_asked]
    found = []
    for engine in known:
        if engine in wanted:
            if why := missing(engine):
                note(f"left out {engine}: {why}")
            else:
                found.append(engine)
    return found


def asked(name: str, options) -> bool:
    """Whether --only lets it pass."""
    return not options.only or name in options.only.split(",")


def javascript(engine, script, *words, eager=False) -> list:
    """A script of js/ in Node or Bun."""
    if engine == "bun":
        return [paths.BUN, paths.JS / script, *words]
    return [paths.node(), "--no-warnings", *NODE[engine], *(EAGER if eager else []), paths.JS / script, *words]


def is_javascript(engine) -> bool:
    """Whether it runs inside Node or Bun."""
    return engine == "bun" or engine in NODE


def kernel(engine, name, n, calls) -> list:
    """Calls `run(n)` that many times and reports each call's thread CPU as JSON."""
    wasm = paths.KERNELS / f"{name}.wasm"
    if engine == "native":
        return [paths.KERNELS / name, n, calls]
    if engine == "upshift-api":
        return [paths.micro("upshift"), "kernel", wasm, n, calls]
    if ours(engine):
        return upshift.bench(engine, wasm, n, calls)
    if is_javascript(engine):
        return javascript(engine, "peer.mjs", "kernel", wasm, n, calls)
    return [paths.PEERS, engine, "kernel", wasm, n, calls]


def compile_module(engine, file) -> list:
    """Compiles a whole module and reports cpu_s, and code_bytes where the engine tells."""
    if ours(engine):
        return upshift.compile_module(engine, file)
    if is_javascript(engine):
        return javascript(engine, "peer.mjs", "compile", file, eager=True)
    return [paths.PEERS, engine, "compile", file]


def start(engine, file, call) -> list:
    """Goes from bytes to the end of a first call; `call` is the name of an export and its arguments, or nothing."""
    if ours(engine):
        return upshift.start(engine, file, call)
    if is_javascript(engine):
        return javascript(engine, "peer.mjs", "start", file, *call)
    return [paths.PEERS, engine, "start", file, *call]


def rounds(what, engines, options, command, reps=None, patience=None):
    """Engines in turns: yields the turn, the engine and the JSON that it reported. One that fails is not asked again, nor is
    one that needed more than `patience` CPU seconds."""
    left = list(engines)
    for turn in range(reps or options.reps):
        for engine in list(left):
            try:
                found = measure.report(command(engine), upshift.environment.get(engine), options.limit)
            except measure.Failed as failure:
                wrong(engine, f"{what} failed: {failure}")
                left.remove(engine)
                continue
            if patience is not None and found["process_cpu"] > patience:
                left.remove(engine)
            yield turn, engine, found
