"""Compiling all of a real module on one thread, and what code comes out."""

import bars
import modules
import wasmfile
from engines import BASE, chosen, compile_module, ours, progress, rounds
from measure import Best, Table, geomean, ratio, worst

ENGINES = ["upshift-baseline", "upshift-optimizing", "node-liftoff", "winch", "wasmi", BASE, "node-turbofan"]


def measure_file(file, engines, options):
    """Least CPU seconds by engine, the same without validation, and bytes of machine code, where they are told."""
    best, bare, code = Best(), Best(), {}

    def command(engine):
        return compile_module(engine, file)

    for _, engine, found in rounds(f"compile {file.stem}", engines, options, command, patience=options.patience):
        cpu = float(found.get("cpu_s", found["process_cpu"]))
        best.keep(engine, cpu)
        if ours(engine) and "validate_cpu_s" in found:
            bare.keep(engine, cpu - found["validate_cpu_s"])
        code[engine] = found.get("code_bytes")
    return best, bare, code


def run(options) -> list:
    """The tables of this part."""
    slow = [BASE] if any(modules.megabytes(file) >= modules.BIG for file in modules.files(options)) and not options.big else []
    engines = chosen(ENGINES, options, unless_asked=["node-turbofan", *slow])
    own = [engine for engine in engines if ours(engine)]
    others = [engine for engine in engines if engine != "node-liftoff"]
    note = "CPU seconds of all threads, validation included. wasmi makes bytecode of its own, not machine code."
    seconds = Table("Compiling whole modules: seconds", ["module", "MB of code", "functions", *engines], note)
    note = "MB of the module's code a CPU second; `bare` is without the time of validation."
    speed = Table("Compiling whole modules: MB/s", ["module", *engines, *(f"{engine} bare" for engine in own)], note)
    versus = Table("Compiling whole modules: ratio to node-liftoff", ["module", *others], "Ratio of CPU; lower is better.")
    told = [engine for engine in engines if engine not in ("wasmi", "node-liftoff", "node-turbofan")]
    sizes = Table("Compiling whole modules: code size", ["module", *told], "Bytes of machine code to a byte of Wasm code.")
    to_liftoff, found = {engine: [] for engine in others}, {}
    for file in modules.files(options):
        progress(f"compile {file.stem}")
        best, bare, code = measure_file(file, engines, options)
        facts = wasmfile.facts(file)
        found[file.stem] = best, bare, code, facts
        seconds.add(file.stem, facts.code_mb(), facts.functions, *(best.get(engine) for engine in engines))
        speeds = [ratio(facts.code_mb(), best.get(engine)) for engine in engines]
        speed.add(file.stem, *speeds, *(ratio(facts.code_mb(), bare.get(engine)) for engine in own))
        sizes.add(file.stem, *(ratio(code.get(engine), facts.code) for engine in told))
        row = [ratio(best.get(engine), best.get("node-liftoff")) for engine in others]
        for engine, value in zip(others, row):
            to_liftoff[engine].append(value)
        versus.add(file.stem, *row)
    versus.add("geomean", *(geomean(to_liftoff[engine]) for engine in others))
    note_bars(found)
    return [seconds, speed, *([versus] if "node-liftoff" in engines else []), sizes]


def note_bars(found):
    """Upshift's baseline tier against what is wanted of it. Modules under 0.3 MB of code are too short to count."""
    name, large = "upshift-baseline", {module: facts for module, facts in found.items() if facts[3].code_mb() > 0.3}
    for module, (best, bare, _, facts) in large.items():
        if module in ("sqlite3", "resvg", "esbuild", "yosys", "biome"):
            bars.at_least(f"baseline compile of {module}, MB/s without validation", ratio(facts.code_mb(), bare.get(name)), 60)
            bars.at_most(f"baseline compile of {module} / Liftoff's", ratio(best.get(name), best.get("node-liftoff")), 1)
            bars.at_least(f"Winch's compile of {module} / baseline's", ratio(best.get("winch"), best.get(name)), 6)
    size = worst(ratio(code.get(name), facts.code) for _, _, code, facts in large.values())
    bars.at_most("baseline: machine code to Wasm code, worst module over 0.3 MB", size, 2.5)
