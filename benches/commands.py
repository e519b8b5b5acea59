"""The real programs in every engine: equal results, and CPU from cold to the end."""

import bars
import programs
from engines import BASE, asked, chosen, note, ours, progress, wrong
from measure import Best, Table, geomean, ratio

RARE = ["upshift-no-inlining", "upshift-no-osr", "node-liftoff"]
NOTE = (
    f"From the start of the process to its end; CPU of all threads. `{BASE}` compiles everything first; `{BASE}-cached` loads "
    "the code from wasmtime's cache, which an earlier run has filled; `node` and `bun` include their own start (about 0.05 and "
    "0.02 s). `-` means refused or a wrong result."
)


class Costs:
    """The least CPU, wall time and peak memory by engine, of correct runs; and how each engine's first run compares."""

    def __init__(self):
        self.cpu, self.wall, self.peak, self.verdict = Best(), Best(), Best(), {}


def turns(program, engines, reference, options) -> Costs:
    """Runs the program in turns. The reference goes first, to have something to compare with."""
    costs, expected, left = Costs(), None, sorted(engines, key=lambda engine: engine != reference)
    if f"{BASE}-cached" in engines and program.timed:
        programs.run(f"{BASE}-cached", program, options.limit)  # fills the cache
    for _ in range(options.reps if program.timed else 1):
        for engine in list(left):
            done, got = programs.run(engine, program, options.limit)
            killed = [f"killed by signal {-done.code}"] if done.code < 0 else []  # so there is nothing to compare with
            expected = expected or (None if killed else got)
            found = killed or programs.differences(expected, got)
            costs.verdict.setdefault(engine, "; ".join(found) or ("reference" if engine == reference else "equal"))
            if found:
                left.remove(engine)
                if ours(engine):
                    wrong(engine, f"program {program.name}: {'; '.join(found)}")
                elif program.timed:
                    note(f"{engine}: program {program.name}: {'; '.join(found)}")
                continue
            costs.cpu.keep(engine, done.cpu)
            costs.wall.keep(engine, done.wall)
            costs.peak.keep(engine, done.peak)
            if done.cpu > options.patience:
                left.remove(engine)
    return costs


def run(options) -> list:
    """The tables of this part."""
    engines = chosen(programs.ENGINES, options, unless_asked=RARE)
    if not engines:
        return []
    reference = next((engine for engine in [BASE, f"{BASE}-cached", "node"] if engine in engines), engines[-1])
    cpu = Table("Real programs from cold: CPU s", ["program", *engines], NOTE)
    wall = Table("Real programs from cold: wall s", ["program", *engines])
    peak = Table("Real programs from cold: peak MB", ["program", *engines])
    checks = Table("Equal results", ["program", *engines], f"Exit code, output and files written, compared with {reference}.")
    title = "Real programs from cold: CPU, ratio to"
    ratios = {base: Table(f"{title} {base}", ["program", *engines]) for base in [BASE, "node"] if base in engines}
    rows = {base: [] for base in ratios}
    for program in programs.PROGRAMS:
        if not asked(program.name, options):
            continue
        progress(f"program {program.name}")
        costs = turns(program, engines, reference, options)
        checks.add(program.name, *(costs.verdict.get(engine) for engine in engines))
        if not program.timed:
            continue
        for table, values in [(cpu, costs.cpu), (wall, costs.wall), (peak, costs.peak)]:
            table.add(program.name, *(values.get(engine) for engine in engines))
        for base, table in ratios.items():
            rows[base].append([ratio(costs.cpu.get(engine), costs.cpu.get(base)) for engine in engines])
            table.add(program.name, *rows[base][-1])
        note_bars(program.name, costs)
    for base, table in ratios.items():
        table.add("geomean", *(geomean(column) for column in zip(*rows[base])))
    return [cpu, *ratios.values(), wall, peak, checks]


def note_bars(name, costs):
    """Upshift's default against the peers, cold."""

    def against(peer):
        return ratio(costs.cpu.get("upshift"), costs.cpu.get(peer))

    for peer in [BASE, "winch", "wasmi", "node"]:
        bars.at_most(f"program {name}, cold CPU: auto / {peer}", against(peer), 1)
    bars.told(f"program {name}, cold CPU: auto / {BASE}-cached", against(f"{BASE}-cached"))
