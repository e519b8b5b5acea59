#!/usr/bin/env python3
"""Measures Upshift in all its tiers beside its peers and checks that it computes the same. Engines take turns within one run
(A B A B), the best of the turns counts; means are geometric. Tables are Markdown; the last one compares with the bars.

  run.py kernels     steady-state speed: our C kernels, thread CPU of the best call
  run.py micro       calls across the border, instantiation, memory of an instance
  run.py compile     whole modules on one thread: CPU, MB/s, size of the code
  run.py start       bytes to the end of the first call, imports stubbed: CPU, wall time, peak memory
  run.py stream      modules that arrive at 10 MB/s: how long after the last byte they are ready
  run.py share       one engine, many stores: the module cache, memory of a store, interrupts, collections
  run.py programs    real WASI programs from cold; output, exit code and files must be equal
  run.py osr         one call that is one hot loop: tier-up in the middle of a loop
  run.py inline      kernels of small calls and calls through tables, with and without inlining
  run.py all         all of these

Engines: upshift (all tiers), upshift-baseline, upshift-optimizing, upshift-no-inlining, upshift-no-osr, upshift-api and
upshift-api-lazy (the library; `start` uses them); cranelift, cranelift-cached, winch (wasmtime); wasmi, wasmi-lazy; node (V8),
node-liftoff, node-turbofan, node-no-inlining; bun (JavaScriptCore); native (clang -O3). What is not built, or refused by the build
of Upshift that is measured, is left out and noted.

Needs `fetch.py all` first (and `fetch.py modules` for more modules); does it itself with --fetch. Upshift is
target/release/upshift, or $UPSHIFT.
"""

import argparse
import os
import platform
import sys

import bars
import border
import commands
import compiling
import engines
import fetch
import inlining
import kernels
import replacing
import sharing
import starting
import streaming
import upshift

PARTS = {
    "kernels": kernels.run,
    "micro": border.run,
    "compile": compiling.run,
    "start": starting.run,
    "stream": streaming.run,
    "share": sharing.run,
    "programs": commands.run,
    "osr": replacing.run,
    "inline": inlining.run,
}


def machine() -> str:
    """What the figures were taken on, in one line."""
    model = "unknown processor"
    try:
        with open("/proc/cpuinfo") as file:
            model = next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    return f"{model}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=[*PARTS, "all"])
    parser.add_argument("--fetch", action="store_true", help="fetch and build the inputs and the peers first")
    parser.add_argument("--engines", help="only these engines, with commas")
    parser.add_argument("--only", help="only these kernels, modules or programs, with commas")
    parser.add_argument("--reps", type=int, default=3, help="turns that each engine takes (default 3)")
    parser.add_argument("--calls", type=int, default=6, help="calls of a kernel in each turn (default 6)")
    parser.add_argument("--big", action="store_true", help="compile, start: modules over 8 MB too, in Cranelift too")
    parser.add_argument("--brief", action="store_true", help="kernels: without the ratios to Upshift's own tiers, V8 and Winch")
    parser.add_argument("--no-inlining", metavar="HOW", help="how upshift-no-inlining is told, if not by the option --no-inlining: "
                        "another option (--no-inlining=--OPTION), or NAME=VALUE for its environment")
    parser.add_argument("--patience", type=float, default=20.0, help="what took more CPU seconds is not repeated (default 20)")
    parser.add_argument("--limit", type=float, default=600.0, help="seconds after which a process is killed (default 600)")
    parser.add_argument("--markdown", metavar="FILE", help="also write the tables to this file")
    options = parser.parse_args()
    unknown = set(options.engines.split(",") if options.engines else []) - set(engines.ALL)
    if unknown:
        parser.error(f"no such engine: {', '.join(sorted(unknown))}; there are {', '.join(engines.ALL)}")
    if options.no_inlining:
        upshift.set_no_inlining(options.no_inlining)
    if options.fetch:
        fetch.everything()
    chosen = list(PARTS) if options.part == "all" else [options.part]
    text = ""
    for part in chosen:
        text += "".join(show(table) for table in PARTS[part](options))
    if bars.rows:
        text += show(bars.table())
    notes = "".join(f"- {note}\n" for note in engines.notes)
    if notes:
        print(f"## Notes\n\n{notes}")
        text += f"## Notes\n\n{notes}"
    if options.markdown:
        head = f"# Measurements\n\nWritten by `benches/run.py {options.part}` on: {machine()}. "
        head += f"{options.reps} turns; figures under 1.1 apart are ties.\n\n"
        with open(options.markdown, "w") as file:
            file.write(head + text.rstrip("\n") + "\n")
    for failure in engines.failures:
        print(f"WRONG: {failure}")
    sys.exit(1 if engines.failures else 0)


def show(table) -> str:
    """Prints a table as soon as it is there, and returns its text; one without measured rows is passed over."""
    if all(row[0] == "geomean" for row in table.rows):
        return ""
    print(table.text(), flush=True)
    return table.text() + "\n"


if __name__ == "__main__":
    main()
