"""Steady-state speed: the C kernels in every engine, and in native code."""

import bars
import fetch
import measure
import paths
import upshift
from engines import BASE, asked, chosen, kernel, ours, progress, rounds, wrong
from measure import Best, Table, geomean, ratio, worst

ENGINES = ["upshift", "upshift-baseline", "upshift-optimizing", "upshift-api", BASE, "native", "node", "bun", "node-liftoff",
           "winch", "wasmi", "node-turbofan", "node-no-inlining", "upshift-no-inlining", "upshift-no-osr"]
RARE = ["upshift-api", "wasmi", "node-turbofan", "node-no-inlining", "upshift-no-inlining", "upshift-no-osr"]
APART = ["osr", "inline"]  # groups that have a part of their own


def check(engine, name, facts, found):
    """Compares the checksum; `upshift bench` may not report one, so then the kernel is run once more."""
    got = found.get("result")
    if ours(engine) and not isinstance(got, int):
        done = measure.process(upshift.invoke(engine, paths.KERNELS / f"{name}.wasm", facts["n"]))
        words = done.out.split()
        got = words[-1] if done.code == 0 and words else None
    if got is None or int(got) != facts["checksum"]:
        wrong(engine, f"kernel {name}: {got} instead of {facts['checksum']}")


def turns(table, names, engines, options):
    """Best call and best start of every engine and kernel, seconds by (engine, kernel)."""
    best, cold = Best(), Best()
    for name in names:
        progress(f"kernel {name}")
        n = table[name]["n"]
        for turn, engine, found in rounds(f"kernel {name}", engines, options, lambda e: kernel(e, name, n, options.calls)):
            if turn == 0:
                check(engine, name, table[name], found)
            best.keep((engine, name), min(found["cpu"]))
            cold.keep((engine, name), found.get("cpu_s"))
    return best, cold


def relative(best, names, engine, base) -> list:
    """The ratios of one engine to another, kernel by kernel; None where one is missing."""
    return [ratio(best.get((engine, name)), best.get((base, name))) for name in names]


def ratios(title, facts, names, engines, best, base) -> Table:
    """The table of ratios to one engine, with geometric means by group and of all."""
    others = [engine for engine in engines if engine != base]
    table = Table(title, ["kernel", "group", *others], f"Ratio of thread CPU to {base}; lower is better.")
    for name in names:
        table.add(name, facts[name]["group"], *(relative(best, [name], engine, base)[0] for engine in others))
    groups = list(dict.fromkeys(facts[name]["group"] for name in names))
    for group in [*groups, "all"] if len(groups) > 1 else ["all"]:
        members = [name for name in names if group in ("all", facts[name]["group"])]
        table.add("geomean", group, *(geomean(relative(best, members, engine, base)) for engine in others))
    return table


def times(title, facts, names, engines, best) -> Table:
    """The table of times."""
    table = Table(title, ["kernel", "group", *engines], "Milliseconds of thread CPU of the best call.")
    for name in names:
        table.add(name, facts[name]["group"], *(value and value * 1e3 for e in engines for value in [best.get((e, name))]))
    return table


def run(options) -> list:
    """The tables of this part."""
    engines = chosen(ENGINES, options, unless_asked=RARE)
    facts = fetch.kernel_table()
    names = [name for name in facts if asked(name, options) and facts[name]["group"] not in APART]
    best, cold = turns(facts, names, engines, options)

    def all_of(engine, base):
        return relative(best, names, engine, base)

    tables = [times("Kernels: steady state", facts, names, engines, best)]
    for base in ["native", BASE]:
        if base in engines:
            tables.append(ratios(f"Kernels: ratio to {base}", facts, names, engines, best, base))
    # The bars compare kernel by kernel with these.
    for base in ["upshift-optimizing", "node", "winch"]:
        if base in engines and not options.brief:
            tables.append(ratios(f"Kernels: ratio to {base}", facts, names, [e for e in engines if ours(e)], best, base))

    bars.at_most("baseline code / Cranelift's, geomean", geomean(all_of("upshift-baseline", BASE)), 1.75)
    bars.at_most("baseline code / Winch's, worst kernel", worst(all_of("upshift-baseline", "winch")), 1.05)
    bars.at_most("auto / optimizing tier alone, worst kernel (5 % is noise)", worst(all_of("upshift", "upshift-optimizing")), 1.05)
    bars.at_most("auto / V8, geomean", geomean(all_of("upshift", "node")), 1.05)
    bars.at_most("auto / Cranelift, geomean", geomean(all_of("upshift", BASE)), 0.92)

    others = [engine for engine in engines if engine != BASE]
    first = Table("Kernels: bytes to first result", ["engine", "x"], f"CPU of the process, geometric mean of the ratios to {BASE}.")
    for engine in others:
        if mean := geomean(relative(cold, names, engine, BASE)):
            first.add(engine, mean)
    return [*tables, first] if first.rows else tables
