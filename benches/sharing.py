"""One engine that many stores share: modules asked for again, memory of a store, interrupts, and collections of code."""

import bars
import measure
import modules
import paths
from engines import note, progress
from measure import Best, Table, ratio

STORES = 1000
TIERS = ["baseline", "optimizing"]
PROGRAMS = {"loop": "in a loop", "calls": "in calls without loops"}
IDLE_STORES = [1, 10, 1000]

CACHE_NOTE = (
    "Milliseconds of compiling a module (lazily: decoded and validated), of compiling it again while it is there, and of comparing its "
    "bytes with equal ones, which a hit does once."
)
MEMORY_NOTE = (
    f"{STORES} stores with an instance each, beside two that were there before: resident memory that each adds, the pages of its "
    "memories and tables that are written to included, and the time for a store, its imports and its instance."
)
INTERRUPTS_NOTE = (
    "Microseconds from a request on one thread to the task it asked for, on another that runs Wasm; and from `terminate` to the return of "
    "the call."
)
COLLECTIONS_NOTE = "A collection of code that finds nothing; nothing runs in any store."


def run(options) -> list:
    """The tables of this part."""
    if not paths.micro("upshift").exists():
        note("share: `fetch.py micro` has not been run")
        return []
    return [cache(options), memory(options), interrupts(options), collections(options)]


def least(options, *words) -> Best:
    """The least of each figure that the API benchmark reports, over all turns."""
    best = Best()
    for _ in range(options.reps):
        for key, value in measure.report([paths.micro("upshift"), *words], limit=options.limit).items():
            best.keep(key, float(value))
    return best


def cache(options) -> Table:
    table = Table("A module asked for again", ["module", "MB", "first ms", "again ms", "comparison ms", "rest of first"], CACHE_NOTE)
    for file in modules.files(options):
        progress(f"cache {file.stem}")
        found = least(options, "cache", file)
        rest = ratio(found["hit_ms"] - found["compare_ms"], found["first_ms"])
        table.add(file.stem, modules.megabytes(file), found["first_ms"], found["hit_ms"], found["compare_ms"], rest)
        if file.stem == "esbuild":
            bars.at_most("esbuild asked for again, without the comparison: part of the first time", rest, 0.01)
    return table


def memory(options) -> Table:
    columns = ["module", "MB", "kB a store", "kB of it tables", "us a store"]
    table = Table("Memory of a store", columns, MEMORY_NOTE)
    for file in modules.files(options):
        progress(f"stores {file.stem}")
        found = least(options, "stores", file, STORES)
        tables = found["tables_each"]
        table.add(file.stem, modules.megabytes(file), found["bytes_each"] / 1e3, tables / 1e3, found["us_each"])
        if file.stem == "esbuild":
            bars.at_most("esbuild: bytes a store, without its tables", found["bytes_each"] - tables, 64 << 10)
    return table


def interrupts(options) -> Table:
    columns = ["tier and program", "us (median)", "us (longest)", "us to the end"]
    table = Table("Interrupts of running code", columns, INTERRUPTS_NOTE)
    for tier in TIERS:
        progress(f"interrupts {tier}")
        found = least(options, "interrupts", tier)
        for program, words in PROGRAMS.items():
            table.add(f"{tier}, {words}", *(found[f"{program}_{figure}"] for figure in ["us", "max_us", "end_us"]))
    return table


def collections(options) -> Table:
    table = Table("Collections that find nothing", ["stores", "us"], COLLECTIONS_NOTE)
    for count in IDLE_STORES:
        progress(f"collect {count}")
        table.add(count, least(options, "collect", count)["us"])
    return table
