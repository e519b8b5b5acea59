"""Which engines are there, and what went wrong in them."""

import sys

import paths

BASE = "cranelift"  # what ratios are to: wasmtime's optimizing compiler
failures = []


def progress(text):
    print(text, file=sys.stderr, flush=True)


def wrong(text):
    """Notes that an engine computed something else or failed; run.py then ends with exit code 1."""
    failures.append(text)
    progress(f"WRONG: {text}")


def chosen(known: list, options, unless_asked=()) -> list:
    """The known engines that were asked for with --engines, or else all but `unless_asked`; only those that are built."""
    built = {
        "upshift": paths.UPSHIFT.exists(),
        "upshift-api": paths.micro("upshift").exists(),
        "native": True,
        "node": True,
    }
    wanted = options.engines.split(",") if options.engines else [engine for engine in known if engine not in unless_asked]
    return [engine for engine in known if engine in wanted and built.get(engine, paths.PEERS.exists())]


def asked(name: str, options) -> bool:
    """Whether --only lets it pass."""
    return not options.only or name in options.only.split(",")
