"""Kernels that are small calls and calls through tables: with and without inlining, in Upshift and in V8."""

import bars
import fetch
from engines import BASE, asked, chosen
from kernels import ratios, relative, times, turns
from measure import geomean

ENGINES = ["upshift", "upshift-no-inlining", "upshift-optimizing", "native", BASE, "node", "node-no-inlining", "bun"]
GROUP = "inline"


def run(options) -> list:
    """The tables of this part."""
    engines = chosen(ENGINES, options)
    facts = fetch.kernel_table()
    names = [name for name in facts if asked(name, options) and facts[name]["group"] == GROUP]
    best, _ = turns(facts, names, engines, options)
    tables = [times("Inlining: steady state", facts, names, engines, best)]
    for base, members in [
        ("upshift", [engine for engine in engines if engine in ("upshift", "upshift-no-inlining", "upshift-optimizing")]),
        ("node", engines),
        (BASE, engines),
    ]:
        if base in engines and len(members) > 1:
            tables.append(ratios(f"Inlining: ratio to {base}", facts, names, members, best, base))
    gain = geomean(relative(best, names, "upshift-no-inlining", "upshift"))
    bars.at_least("inlining off / on, geomean of the kernels of small calls", gain, 1.2)
    bars.at_most("auto / V8, geomean of the kernels of small calls", geomean(relative(best, names, "upshift", "node")), 1.05)
    return tables
