"""Upshift's command lines, all of them here: when an option of the command changes, this is the file to change.

An engine named `upshift...` is the command with the options below. `upshift-api` is micro/ built against the library: it has
the default options, and `upshift-api-lazy` validates a body at its first call."""

import functools

import measure
import paths

OPTIONS = {
    "upshift": [],
    "upshift-baseline": ["--tier", "baseline"],
    "upshift-optimizing": ["--tier", "optimizing"],
    "upshift-no-inlining": ["--no-inlining"],
    "upshift-no-osr": ["--no-osr"],
}
# The whole module at once, on one thread.
COMPILE = ["--threads", "1"]

environment = {}  # engine to additional environment variables


def set_no_inlining(how: str):
    """Another way of turning inlining off: options, or an environment variable (`NAME=VALUE`)."""
    OPTIONS["upshift-no-inlining"] = how.split() if how.startswith("-") else []
    if not how.startswith("-"):
        name, _, value = how.partition("=")
        environment["upshift-no-inlining"] = {name: value}


def bench(engine, wasm, n, calls) -> list:
    """Calls `run(n)` once and then `calls` times; JSON with cpu_s and wall_s from bytes to the first result, cpu of each call
    after the first, and result."""
    return [paths.UPSHIFT, "bench", *OPTIONS[engine], "--json", "--reps", calls, "--invoke", "run", wasm, n]


def invoke(engine, wasm, n) -> list:
    """Calls `run(n)` once and prints the result."""
    return [paths.UPSHIFT, "run", *OPTIONS[engine], "--invoke", "run", wasm, n]


def compile_module(engine, file) -> list:
    """JSON with cpu_s, validate_cpu_s and code_bytes."""
    return [paths.UPSHIFT, "compile", *OPTIONS[engine], *COMPILE, "--json", file]


def start(engine, file, call) -> list:
    """JSON with cpu_s, wall_s and peak_mb, from bytes to the end of the first call."""
    lazy = ["--lazy-validation"] if engine == "upshift-api-lazy" else []
    return [paths.micro("upshift"), "start", *lazy, file, *call]


def run(engine) -> list:
    """The words before --dir, --env, the program and its arguments."""
    return [paths.UPSHIFT, "run", *OPTIONS[engine]]


@functools.cache
def missing(engine: str) -> str | None:
    """Why this build cannot run that engine; None if it can."""
    fib = paths.KERNELS / "fib.wasm"
    if engine.startswith("upshift-api"):
        if not paths.micro("upshift").exists():
            return "not built: `fetch.py micro`"
        probe = measure.process(start(engine, fib, ["run", "1"]))
        return None if probe.code == 0 else probe.complaint()
    if not paths.UPSHIFT.exists():
        return f"not built: {paths.UPSHIFT}"
    probe = measure.process(bench(engine, fib, 1, 1), env=environment.get(engine))
    return None if probe.code == 0 else probe.complaint()
