"""From a module's bytes to the end of its first call, imports stubbed, measured inside the process."""

import bars
import modules
from engines import BASE, chosen, note, progress, rounds, start
from measure import Best, Table, ratio

ENGINES = ["upshift-api", "upshift-api-lazy", "node", "bun", "wasmi", "wasmi-lazy", "winch", BASE]
NOTE = (
    "The first call is `_start` of WASI commands, until it calls its first import, which traps; and of other modules an export "
    "that needs no host. `upshift-api` and `wasmi` validate all functions first, as `node` and `bun` do; `upshift-api-lazy` and "
    "`wasmi-lazy` validate a function when it is called; `winch` and `cranelift` compile everything first."
)


def run(options) -> list:
    """The tables of this part; Cranelift, which compiles everything first, only with --big or for small modules."""
    engines = chosen(ENGINES, options)
    columns = ["module", "MB", *engines]
    cpu = Table("Start: CPU ms", columns, f"CPU of all threads. {NOTE}")
    wall = Table("Start: wall ms", columns)
    peak = Table("Start: peak MB", columns, "Of the whole process; an empty Node has about 49, an empty Bun 22.")
    for file in modules.files(options):
        progress(f"start {file.stem}")
        big = modules.megabytes(file) >= modules.BIG
        these = [engine for engine in engines if not (engine == BASE and big and not options.big)]
        best, least, memory, ends = Best(), Best(), Best(), {}
        call = modules.first_call(file)

        def command(engine):
            return start(engine, file, call)

        for _, engine, found in rounds(f"start {file.stem}", these, options, command, patience=options.patience):
            best.keep(engine, found["cpu_s"] * 1e3)
            least.keep(engine, found["wall_s"] * 1e3)
            memory.keep(engine, float(found["peak_mb"]))
            ends[engine] = found.get("end")
        if len(set(ends.values())) > 1:
            note(f"start {file.stem} ended differently: {', '.join(f'{engine} {end}' for engine, end in ends.items())}")
        for table, values in [(cpu, best), (wall, least), (peak, memory)]:
            table.add(file.stem, modules.megabytes(file), *(values.get(engine) for engine in engines))
        note_bars(file, best, memory)
    return [cpu, wall, peak]


def note_bars(file, best, memory):
    """What is wanted of the start of the modules that are named for it."""
    if file.stem not in ("sqlite3", "resvg", "esbuild", "yosys", "biome", "swc", "php"):
        return
    name, validated, lazy = file.stem, best.get("upshift-api"), best.get("upshift-api-lazy")
    bars.at_least(f"start of {name}: JavaScriptCore / validated", ratio(best.get("bun"), validated), 2)
    if modules.megabytes(file) > 10:
        bars.at_least(f"start of {name}: Cranelift / validated", ratio(best.get(BASE), validated), 100)
    bars.at_most(f"start of {name}: lazy validation / V8", ratio(lazy, best.get("node")), 1)
    bars.at_most(f"start of {name}: lazy validation / wasmi's lazy mode", ratio(lazy, best.get("wasmi-lazy")), 1)
    bars.at_most(f"start of {name}: peak memory / V8's", ratio(memory.get("upshift-api"), memory.get("node")), 1)
