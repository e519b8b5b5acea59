"""Steady-state speed: the C kernels in every engine, and in native code."""

import fetch
import measure
import paths
from engines import BASE, asked, chosen, progress, wrong
from measure import Best, Table, geomean, ratio

NOTE = f"Thread CPU of the best call; x is the ratio to {BASE} (lower is better)."


def command(engine, name, n, calls) -> list:
    """What calls `run(n)` that many times and reports each call's CPU as JSON."""
    wasm = paths.KERNELS / f"{name}.wasm"
    if engine == "native":
        return [paths.KERNELS / name, n, calls]
    if engine == "upshift":
        return [paths.UPSHIFT, "bench", "--json", "--reps", calls, "--invoke", "run", wasm, n]
    if engine == "upshift-api":
        return [paths.micro("upshift"), "kernel", wasm, n, calls]
    return [paths.PEERS, engine, "kernel", wasm, n, calls]


def check(engine, name, facts, found):
    """Compares the checksum; `upshift bench` may not report one, so then the kernel is run once more."""
    got = found.get("result")
    if engine == "upshift" and not isinstance(got, int):
        done = measure.process([paths.UPSHIFT, "run", "--invoke", "run", paths.KERNELS / f"{name}.wasm", facts["n"]])
        words = done.out.split()
        got = int(words[-1]) if done.code == 0 and words else None
    if got != facts["checksum"]:
        wrong(f"kernel {name} in {engine}: {got} instead of {facts['checksum']}")


def turns(table, names, engines, options):
    """Best call and best start of every engine and kernel, seconds by (engine, kernel)."""
    best, cold = Best(), Best()
    for name in names:
        progress(f"kernel {name}")
        for turn in range(options.reps):
            for engine in engines:
                found = measure.report(command(engine, name, table[name]["n"], options.calls))
                if found is None:
                    if turn == 0:
                        wrong(f"kernel {name} in {engine} failed")
                    continue
                if turn == 0:
                    check(engine, name, table[name], found)
                best.keep((engine, name), min(found["cpu"]))
                cold.keep((engine, name), found.get("cpu_s"))
    return best, cold


def run(options) -> list:
    """The tables of this part."""
    engines = chosen(["upshift", "upshift-api", BASE, "native", "winch", "wasmi"], options, unless_asked=["wasmi"])
    facts = fetch.kernel_table()
    names = [name for name in facts if asked(name, options)]
    best, cold = turns(facts, names, engines, options)
    others = [engine for engine in engines if engine != BASE]

    def relative(values, engine, name):
        return ratio(values.get((engine, name)), values.get((BASE, name)))

    columns = ["kernel", "group", *(f"{engine} ms" for engine in [BASE, *others]), *(f"{engine} x" for engine in others)]
    steady = Table("Kernels: steady state", columns, NOTE)
    for name in names:
        times = [value and value * 1e3 for engine in [BASE, *others] for value in [best.get((engine, name))]]
        steady.add(name, facts[name]["group"], *times, *(relative(best, engine, name) for engine in others))
    for group in [*dict.fromkeys(facts[name]["group"] for name in names), "all"]:
        members = [name for name in names if group in ("all", facts[name]["group"])]
        means = [geomean(relative(best, engine, name) for name in members) for engine in others]
        steady.add("geomean", group, *([None] * (len(others) + 1)), *means)

    first = Table("Kernels: bytes to first result", ["engine", "x"], f"CPU of the process, geometric mean of the ratios to {BASE}.")
    for engine in others:
        if mean := geomean(relative(cold, engine, name) for name in names):
            first.add(engine, mean)
    return [steady, first] if first.rows else [steady]
