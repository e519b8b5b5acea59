#!/usr/bin/env python3
"""Measures Upshift beside its peers and checks that it computes the same. Engines take turns within one run (A B A B), the
best of the turns counts; ratios are to wasmtime's Cranelift (`cranelift`), means are geometric.

  run.py kernels     steady-state speed: our C kernels, thread CPU of the best call
  run.py micro       calls across the border, instantiation, memory of an instance
  run.py compile     whole modules on one thread, CPU
  run.py programs    real WASI programs from cold: CPU of the process; output, exit code and files must be equal
  run.py start       bytes to an instance, imports stubbed, CPU
  run.py all         all of these

Needs `fetch.py all` first (and `fetch.py modules` for more modules); does it itself with --fetch. Engines that are not built are
left out. Upshift is target/release/upshift, or $UPSHIFT.
"""

import argparse
import os
import platform
import sys

import border
import commands
import engines
import fetch
import kernels
import modules

PARTS = {
    "kernels": kernels.run,
    "micro": border.run,
    "compile": modules.compile_all,
    "programs": commands.run,
    "start": modules.start_all,
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
    parser.add_argument("--engines", help="only these engines, with commas (upshift, upshift-api, cranelift, "
                        "cranelift-cached, winch, wasmi, native, node)")
    parser.add_argument("--only", help="only these kernels, modules or programs, with commas")
    parser.add_argument("--reps", type=int, default=3, help="turns that each engine takes (default 3)")
    parser.add_argument("--calls", type=int, default=6, help="calls of a kernel in each turn (default 6)")
    parser.add_argument("--big", action="store_true", help="compile, start: modules over 8 MB too; start: Cranelift too")
    parser.add_argument("--patience", type=float, default=20.0,
                        help="programs: Cranelift's cold run is not repeated if it took more CPU seconds (default 20)")
    parser.add_argument("--markdown", metavar="FILE", help="also write the tables to this file")
    options = parser.parse_args()
    if options.fetch:
        fetch.kernels()
        fetch.programs()
        fetch.peers()
        fetch.micro()
    parts = list(PARTS) if options.part == "all" else [options.part]
    text = ""
    for part in parts:
        for table in PARTS[part](options):
            print(table.text(), flush=True)
            text += table.text() + "\n"
    if options.markdown:
        head = f"# Measurements\n\nWritten by `benches/run.py {options.part}` on: {machine()}. "
        head += f"{options.reps} turns; figures under 1.1 apart are ties.\n\n"
        with open(options.markdown, "w") as file:
            file.write(head + text.rstrip("\n") + "\n")
    for failure in engines.failures:
        print(f"WRONG: {failure}")
    sys.exit(1 if engines.failures else 0)


if __name__ == "__main__":
    main()
