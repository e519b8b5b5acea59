"""Whole real modules: compiling all of one, and starting one."""

import measure
import paths
from engines import BASE, asked, chosen, progress
from measure import Best, Table, geomean, ratio


def files(options) -> list:
    """The modules by size; those over 8 MB only on request, as Cranelift needs up to a minute each."""
    found = {file.stem: file for folder in [paths.MODULES, paths.PROGRAMS] for file in folder.glob("*.wasm")}
    by_size = sorted(found.values(), key=lambda file: file.stat().st_size)
    return [file for file in by_size if asked(file.stem, options) and (options.only or options.big or megabytes(file) < 8)]


def megabytes(file) -> float:
    return file.stat().st_size / 1e6


def compile_all(options) -> list:
    """The table of compile times."""
    engines = chosen(["upshift", BASE, "winch", "wasmi"], options)
    others = [engine for engine in engines if engine != BASE]
    note = f"CPU seconds on one thread, validation included; x is the ratio to {BASE}."
    columns = ["module", "MB", "functions", *(f"{engine} s" for engine in engines), f"{BASE} us a function"]
    table = Table("Compiling whole modules", [*columns, *(f"{engine} x" for engine in others)], note)
    ratios = {engine: [] for engine in others}
    for file in files(options):
        progress(f"compile {file.stem}")
        best, functions = Best(), None
        for _ in range(options.reps):
            for engine in engines:
                own = [paths.UPSHIFT, "compile", "--threads", "1", "--json", file]
                found = measure.report(own if engine == "upshift" else [paths.PEERS, engine, "compile", file])
                if found is None:
                    continue
                best.keep(engine, float(found.get("cpu_s", found["process_cpu"])))
                if engine == BASE:
                    functions = found["functions"]
        each = best[BASE] * 1e6 / functions if functions else None
        row = [ratio(best.get(engine), best.get(BASE)) for engine in others]
        for engine, value in zip(others, row):
            ratios[engine].append(value)
        table.add(file.stem, megabytes(file), functions, *(best.get(engine) for engine in engines), each, *row)
    table.add("geomean", *([None] * (len(engines) + 3)), *(geomean(ratios[engine]) for engine in others))
    return [table]


def start_all(options) -> list:
    """The table of start times; Cranelift, which compiles everything first, only with --big."""
    engines = chosen(["upshift-api", BASE, "winch", "wasmi"], options, unless_asked=[] if options.big else [BASE])
    note = "Bytes to an instance, imports stubbed: CPU of all threads, and peak memory. `-` means refused."
    table = Table("Start", ["module", "MB", *(f"{engine} ms" for engine in engines), *(f"{engine} MB" for engine in engines)], note)
    for file in files(options):
        progress(f"start {file.stem}")
        best, peak = Best(), Best()
        for _ in range(options.reps):
            for engine in engines:
                own = [paths.micro("upshift"), "start", file]
                found = measure.report(own if engine == "upshift-api" else [paths.PEERS, engine, "start", file])
                if found is not None:
                    best.keep(engine, found["cpu_s"] * 1e3)
                    peak.keep(engine, float(found["peak_mb"]))
        table.add(file.stem, megabytes(file), *(best.get(engine) for engine in engines), *(peak.get(engine) for engine in engines))
    return [table]
