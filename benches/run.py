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

import fetch
import measure
import paths
import programs as real
from measure import Table, geomean

BASE = "cranelift"
failures = []


def progress(text):
    print(text, file=sys.stderr, flush=True)


def wrong(text):
    """Notes that an engine computed something else; the script ends with exit code 1."""
    failures.append(text)
    progress(f"WRONG: {text}")


def ratio(value, base):
    return value / base if value and base else None


def chosen(all_engines, options) -> list:
    """The engines asked for that are built."""
    here = {
        "upshift": paths.UPSHIFT.exists(),
        "upshift-api": paths.micro("upshift").exists(),
        "native": True,
        "node": True,
    }
    wanted = options.engines.split(",") if options.engines else all_engines
    return [engine for engine in all_engines if engine in wanted and here.get(engine, paths.PEERS.exists())]


# Kernels


def kernel_command(engine, name, n, calls):
    wasm = paths.KERNELS / f"{name}.wasm"
    if engine == "native":
        return [paths.KERNELS / name, n, calls]
    if engine == "upshift":
        return [paths.UPSHIFT, "bench", "--json", "--reps", calls, "--invoke", "run", wasm, n]
    if engine == "upshift-api":
        return [paths.micro("upshift"), "kernel", wasm, n, calls]
    return [paths.PEERS, engine, "kernel", wasm, n, calls]


def check_kernel(engine, name, facts, found):
    """Compares the checksum; `upshift bench` may not report one, so then the kernel is run once more."""
    got = found.get("result")
    if got is None and engine == "upshift":
        done = measure.process([paths.UPSHIFT, "run", "--invoke", "run", paths.KERNELS / f"{name}.wasm", facts["n"]])
        words = done.out.split()
        got = int(words[-1]) if words else None
    if got != facts["checksum"]:
        wrong(f"kernel {name} in {engine}: {got} instead of {facts['checksum']}")


def kernels(options):
    engines = chosen(["upshift", "upshift-api", BASE, "native", "winch", "wasmi"], options)
    if not options.engines:
        engines = [engine for engine in engines if engine != "wasmi"]
    table = fetch.kernel_table()
    names = [name for name in table if not options.only or name in options.only.split(",")]
    best = {}
    cold = {}
    for name in names:
        progress(f"kernel {name}")
        for turn in range(options.reps):
            for engine in engines:
                found = measure.report(kernel_command(engine, name, table[name]["n"], options.calls))
                if found is None:
                    if turn == 0:
                        wrong(f"kernel {name} in {engine} failed")
                    continue
                if turn == 0:
                    check_kernel(engine, name, table[name], found)
                key = (engine, name)
                best[key] = min(best.get(key, 1e9), min(found["cpu"]))
                if found.get("cpu_s"):
                    cold[key] = min(cold.get(key, 1e9), found["cpu_s"])
    others = [engine for engine in engines if engine != BASE]
    columns = ["kernel", "group", f"{BASE} ms", *(f"{engine} ms" for engine in others), *(f"{engine} x" for engine in others)]
    steady = Table("Kernels: steady state", columns, f"Thread CPU of the best call; x is the ratio to {BASE} (lower is better).")
    ratios = {}
    for name in names:
        base = best.get((BASE, name))
        row = {engine: ratio(best.get((engine, name)), base) for engine in others}
        for engine, value in row.items():
            ratios.setdefault(engine, {})[name] = value
        scaled = [value * 1e3 if (value := best.get((engine, name))) else None for engine in [BASE, *others]]
        steady.add(name, table[name]["group"], *scaled, *row.values())
    for group in [*dict.fromkeys(table[name]["group"] for name in names), "all"]:
        members = [name for name in names if group in ("all", table[name]["group"])]
        means = [geomean(ratios[engine][name] for name in members) for engine in others]
        steady.add("geomean", group, *([None] * len(engines)), *means)
    first = Table("Kernels: bytes to first result", ["engine", "x"], f"Process CPU, geometric mean of the ratios to {BASE}.")
    for engine in others:
        first.add(engine, geomean(ratio(cold.get((engine, name)), cold.get((BASE, name))) for name in names))
    return [steady, first] if len(first.rows) else [steady]


# Calls and instances

MICRO = {
    "host_to_wasm_ns": "host to Wasm, typed call of two i32, ns",
    "host_to_wasm_empty_ns": "host to Wasm, nothing passed, ns",
    "wasm_to_host_ns": "Wasm to host, ns",
    "wasm_to_host_caller_ns": "Wasm to host that uses its Caller, ns",
    "instantiate_us": "store, instance and their end (best), us",
    "instantiate_median_us": "store, instance and their end (median), us",
    "instantiate_only_median_us": "instance alone (median), us",
    "instantiate_and_call_median_us": "store, instance, lookup, call and their end (median), us",
    "live_kb": "resident memory of a live instance, kB",
    "live_virtual_mb": "reserved address space of a live instance, MB",
}


def micro(options):
    engines = [engine for engine in ["upshift", "wasmtime", "wasmtime-default"] if paths.micro(engine).exists()]
    best = {}
    for _ in range(options.reps):
        for engine in engines:
            for part in ["calls", "instances"]:
                found = measure.report([paths.micro(engine), part])
                if found is None:
                    wrong(f"micro {part} in {engine} failed")
                    continue
                for key in MICRO.keys() & found.keys():
                    best[key, engine] = min(best.get((key, engine), 1e9), float(found[key]))
    ratios = [f"to {engine}" for engine in engines if "upshift" in engines and engine != "upshift"]
    note = "The module has 161 bytes: a 1 MiB memory, data, a table, a global. `wasmtime` is built with only what it needs, `wasmtime-default` with its default features."
    table = Table("Calls and instances", ["item", *engines, *ratios], note)
    for key, text in MICRO.items():
        values = {engine: best.get((key, engine)) for engine in engines}
        table.add(text, *values.values(), *(ratio(values["upshift"], values[engine.removeprefix("to ")]) for engine in ratios))
    return [table]


# Compiling and starting


def module_files(options):
    """The modules by size; those over 8 MB only on request, as Cranelift needs up to a minute each."""
    found = {file.stem: file for folder in [paths.MODULES, paths.PROGRAMS] for file in folder.glob("*.wasm")}
    if options.only:
        return [found[name] for name in options.only.split(",") if name in found]
    files = sorted(found.values(), key=lambda file: file.stat().st_size)
    return [file for file in files if options.big or file.stat().st_size < 8e6]


def compile_modules(options):
    engines = chosen(["upshift", BASE, "winch", "wasmi"], options)
    columns = ["module", "MB", "functions", *(f"{engine} s" for engine in engines), f"{BASE} us a function", *(f"{engine} x" for engine in engines if engine != BASE)]
    table = Table("Compiling whole modules", columns, f"CPU seconds on one thread, validation included; x is the ratio to {BASE}.")
    ratios = {engine: [] for engine in engines}
    for file in module_files(options):
        progress(f"compile {file.stem}")
        best, functions = {}, None
        for _ in range(options.reps):
            for engine in engines:
                own = [paths.UPSHIFT, "compile", "--threads", "1", "--json", file]
                found = measure.report(own if engine == "upshift" else [paths.PEERS, engine, "compile", file])
                if found is None:
                    continue
                best[engine] = min(best.get(engine, 1e9), float(found.get("cpu_s", found["process_cpu"])))
                functions = functions or found.get("functions")
        row = {engine: ratio(best.get(engine), best.get(BASE)) for engine in engines if engine != BASE}
        for engine, value in row.items():
            ratios[engine].append(value)
        each = best[BASE] * 1e6 / functions if functions and BASE in best else None
        table.add(file.stem, file.stat().st_size / 1e6, functions, *(best.get(engine) for engine in engines), each, *row.values())
    table.add("geomean", *([None] * (len(engines) + 3)), *(geomean(ratios[engine]) for engine in engines if engine != BASE))
    return [table]


def start(options):
    engines = [engine for engine in chosen(["upshift-api", BASE, "winch", "wasmi"], options) if engine != BASE or options.big]
    table = Table("Start", ["module", "MB", *(f"{engine} ms" for engine in engines), *(f"{engine} MB" for engine in engines)],
                  "Bytes to an instance, imports stubbed: CPU of all threads, and peak memory. `-` means refused.")
    for file in module_files(options):
        progress(f"start {file.stem}")
        best, peak = {}, {}
        for _ in range(options.reps):
            for engine in engines:
                found = measure.report([paths.micro("upshift"), "start", file] if engine == "upshift-api" else [paths.PEERS, engine, "start", file])
                if found is None:
                    continue
                best[engine] = min(best.get(engine, 1e9), found["cpu_s"] * 1e3)
                peak[engine] = min(peak.get(engine, 1e9), float(found["peak_mb"]))
        table.add(file.stem, file.stat().st_size / 1e6, *(best.get(engine) for engine in engines), *(peak.get(engine) for engine in engines))
    return [table]


# Real programs


def programs(options):
    engines = chosen(real.ENGINES, options)
    if not options.engines:
        engines = [engine for engine in engines if engine != "winch"]
    reference = BASE if BASE in engines else "node"
    wanted = [program for program in real.PROGRAMS if not options.only or program.name in options.only.split(",")]
    timed = Table("Real programs from cold", ["program", *(f"{e} s" for e in engines), *(f"{e} x" for e in engines if e != BASE), *(f"{e} MB" for e in engines)],
                  f"CPU seconds of the whole process, all threads; x is the ratio to {BASE}, which compiles everything first; MB is peak memory. "
                  f"`{BASE}-cached` finds its code in wasmtime's cache, `node` is V8 and includes Node's own start.")
    checks = Table("Equal results", ["program", *engines], f"Exit code, output and files written, compared with {reference}.")
    ratios = {engine: [] for engine in engines}
    for program in wanted:
        progress(f"program {program.name}")
        best, peak, verdict, expected = {}, {}, {}, None
        # The reference goes first in the first turn only, to have something to compare with.
        order = [reference, *(engine for engine in engines if engine != reference)]
        for turn in range(options.reps if program.timed else 1):
            if turn == 0 and f"{BASE}-cached" in engines:
                real.run(f"{BASE}-cached", program)  # fills the cache
            for engine in order if turn == 0 else engines:
                if engine == BASE and turn > 0 and best.get(engine, 0) > options.patience:
                    continue
                done, got = real.run(engine, program)
                expected = expected or got
                best[engine] = min(best.get(engine, 1e9), done.cpu)
                peak[engine] = min(peak.get(engine, 1e9), done.peak)
                found = real.differences(expected, got)
                verdict[engine] = "; ".join(found) if found else "reference" if engine == reference else "equal"
                if found and engine == "upshift":
                    wrong(f"program {program.name} in {engine}: {verdict[engine]}")
        checks.add(program.name, *(verdict.get(engine) for engine in engines))
        if program.timed:
            row = {engine: ratio(best.get(engine), best.get(BASE)) for engine in engines if engine != BASE}
            for engine, value in row.items():
                ratios[engine].append(value)
            timed.add(program.name, *(best.get(e) for e in engines), *row.values(), *(peak.get(e) for e in engines))
    timed.add("geomean", *([None] * len(engines)), *(geomean(ratios[e]) for e in engines if e != BASE), *([None] * len(engines)))
    return [timed, checks]


PARTS = {"kernels": kernels, "micro": micro, "compile": compile_modules, "programs": programs, "start": start}


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
    parser.add_argument("--engines", help="only these engines, with commas (upshift, upshift-api, cranelift, winch, wasmi, native, node, ...)")
    parser.add_argument("--only", help="only these kernels, modules or programs, with commas")
    parser.add_argument("--reps", type=int, default=3, help="turns that each engine takes (default 3)")
    parser.add_argument("--calls", type=int, default=6, help="calls of a kernel in each turn (default 6)")
    parser.add_argument("--big", action="store_true", help="compile, start: modules over 8 MB too; start: Cranelift too")
    parser.add_argument("--patience", type=float, default=20.0, help="programs: Cranelift's cold run is not repeated if it took more CPU seconds (default 20)")
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
        head = f"# Measurements\n\nWritten by `benches/run.py {options.part}` on: {machine()}. {options.reps} turns; figures under 1.1 apart are ties.\n\n"
        with open(options.markdown, "w") as file:
            file.write(head + text.rstrip("\n") + "\n")
    for failure in failures:
        print(f"WRONG: {failure}")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
