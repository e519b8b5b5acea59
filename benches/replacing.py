"""On-stack replacement: one call that is one hot loop of about two seconds, from the bytes to its end."""

import bars
import fetch
from engines import BASE, asked, chosen, is_javascript, kernel, ours, progress, rounds
from kernels import check
from measure import Best, Table, geomean, ratio

ENGINES = ["upshift", "upshift-optimizing", "upshift-baseline", "upshift-no-osr", "upshift-api", "native", BASE, "node", "bun",
           "node-liftoff", "winch"]
GROUP = "osr"
WITH_OWN = "upshift-optimizing"  # what ratios are to


def once(engine, name, n) -> list:
    """One call and no more: some count the first call among their calls, others beside them."""
    first_is_apart = ours(engine) and engine != "upshift-api" or is_javascript(engine)
    return kernel(engine, name, n, 0 if first_is_apart else 1)


def run(options) -> list:
    """The tables of this part."""
    engines = chosen(ENGINES, options, unless_asked=["upshift-api"])
    facts = fetch.kernel_table()
    names = [name for name in facts if asked(name, options) and facts[name]["group"] == GROUP]
    cpu, wall = Best(), Best()
    for name in names:
        progress(f"osr {name}")
        n = facts[name]["n"]
        for turn, engine, found in rounds(f"kernel {name}", engines, options, lambda e: once(e, name, n)):
            if turn == 0:
                check(engine, name, facts[name], found)
            cpu.keep((engine, name), found.get("cpu_s", sum(found["cpu"])))
            wall.keep((engine, name), found.get("wall_s"))
    base = WITH_OWN if WITH_OWN in engines else engines[0]
    tables = []
    for what, best in [("CPU", cpu), ("wall", wall)]:
        note = f"Seconds from bytes to the end of one call, compilation included; x is the ratio to {base}."
        columns = [*(f"{e} s" for e in engines), *(f"{e} x" for e in engines if e != base)]
        table = Table(f"On-stack replacement: {what}", ["loop", *columns], note)
        rows = [[ratio(best.get((e, name)), best.get((base, name))) for e in engines if e != base] for name in names]
        for name, row in zip(names, rows):
            table.add(name, *(best.get((engine, name)) for engine in engines), *row)
        table.add("geomean", *([None] * len(engines)), *(geomean(column) for column in zip(*rows)))
        tables.append(table)
        for name in names:
            value = ratio(best.get(("upshift", name)), best.get((WITH_OWN, name)))
            bars.at_most(f"{name}: auto / optimizing tier, {what}", value, 1.15)
    return tables
