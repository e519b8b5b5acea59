"""The real programs in every engine: equal results, and CPU from cold to the end."""

import programs
from engines import BASE, asked, chosen, progress, wrong
from measure import Best, Table, geomean, ratio

NOTE = (
    f"CPU seconds of the whole process, all threads; x is the ratio to {BASE}, which compiles everything first; MB is peak memory. "
    f"`{BASE}-cached` finds its code in wasmtime's cache; `node` is V8 and includes Node's own start. `-` means a wrong result."
)


def turns(program, engines, reference, options):
    """Runs the program in turns. Returns by engine: least CPU, least peak memory, and how the first run compares."""
    best, peak, verdict, expected = Best(), Best(), {}, None
    if f"{BASE}-cached" in engines and program.timed:
        programs.run(f"{BASE}-cached", program)  # fills the cache
    for turn in range(options.reps if program.timed else 1):
        # The reference goes first in the first turn only, to have something to compare with.
        for engine in sorted(engines, key=lambda engine: engine != reference) if turn == 0 else engines:
            if turn > 0 and engine == BASE and best.get(engine, 0) > options.patience:
                continue
            done, got = programs.run(engine, program)
            expected = expected or got
            found = programs.differences(expected, got)
            if not found:
                best.keep(engine, done.cpu)
                peak.keep(engine, done.peak)
            elif engine == "upshift":
                wrong(f"program {program.name}: {'; '.join(found)}")
            verdict[engine] = "; ".join(found) or ("reference" if engine == reference else "equal")
    return best, peak, verdict


def run(options) -> list:
    """The tables of this part."""
    engines = chosen(programs.ENGINES, options, unless_asked=["winch"])
    reference = BASE if BASE in engines else engines[-1]
    others = [engine for engine in engines if engine != BASE]
    columns = [f"{engine} s" for engine in engines] + [f"{engine} x" for engine in others] + [f"{engine} MB" for engine in engines]
    timed = Table("Real programs from cold", ["program", *columns], NOTE)
    checks = Table("Equal results", ["program", *engines], f"Exit code, output and files written, compared with {reference}.")
    ratios = {engine: [] for engine in others}
    for program in programs.PROGRAMS:
        if not asked(program.name, options):
            continue
        progress(f"program {program.name}")
        best, peak, verdict = turns(program, engines, reference, options)
        checks.add(program.name, *(verdict.get(engine) for engine in engines))
        if not program.timed:
            continue
        row = [ratio(best.get(engine), best.get(BASE)) for engine in others]
        for engine, value in zip(others, row):
            ratios[engine].append(value)
        timed.add(program.name, *(best.get(e) for e in engines), *row, *(peak.get(e) for e in engines))
    nothing = [None] * len(engines)
    timed.add("geomean", *nothing, *(geomean(ratios[engine]) for engine in others), *nothing)
    return [timed, checks]
