"""Modules that arrive at a limited rate: how long after the last byte they are ready."""

import bars
import measure
import modules
import paths
from engines import note, progress
from measure import Best, Table

RATE = "10"
NOTE = (
    f"Bytes come at {RATE} MB/s. `ready` is the time from when the last of them is there to the module, `eager` with all "
    "functions compiled by the baseline tier; `CPU` is that of all threads, from the first byte."
)


def run(options) -> list:
    """The table of this part."""
    columns = ["module", "MB", "ready ms", "CPU ms", "eager: ready ms", "eager: CPU ms"]
    table = Table("Streams: ready after the last byte", columns, NOTE)
    micro = paths.micro("upshift")
    if not micro.exists():
        note("stream: `fetch.py micro` has not been run")
        return []
    for file in modules.files(options):
        progress(f"stream {file.stem}")
        ready, cpu = Best(), Best()
        for _ in range(options.reps):
            for strategy in ["lazy", "eager"]:
                found = measure.report([micro, "stream", file, RATE, strategy], limit=options.limit)
                ready.keep(strategy, found["ready_ms"])
                cpu.keep(strategy, found["cpu_s"] * 1e3)
        figures = [value for strategy in ["lazy", "eager"] for value in (ready.get(strategy), cpu.get(strategy))]
        table.add(file.stem, modules.megabytes(file), *figures)
        if file.stem == "esbuild":
            bars.at_most("stream of esbuild: ms from the last byte to the module", ready.get("lazy"), 30)
    return [table]
