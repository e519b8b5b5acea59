"""Calls across the border between host and Wasm, and instances: one program, built against each engine (see micro/)."""

import measure
import paths
from engines import wrong
from measure import Best, Table, ratio

ITEMS = {
    "host_to_wasm_ns": "host to Wasm, typed call of two i32, ns",
    "host_to_wasm_empty_ns": "host to Wasm, nothing passed, ns",
    "wasm_to_host_ns": "Wasm to host, ns",
    "wasm_to_host_caller_ns": "Wasm to host that uses its Caller, ns",
    "instantiate_us": "store, instance and their end (best), us",
    "instantiate_median_us": "store, instance and their end (median), us",
    "instantiate_only_median_us": "instance alone (median), us",
    "instantiate_and_call_median_us": "store, instance, lookup, call and their end (median), us",
    "live_kb": "resident memory of a live instance, kB",
    "live_virtual_mb": "reserved address space of a live instance, MB",
}
NOTE = (
    "The module has 161 bytes: a 1 MiB memory, data, a table, a global. `wasmtime` is built with only what is needed here, "
    "`wasmtime-default` with its default features."
)


def run(options) -> list:
    """The tables of this part."""
    engines = [engine for engine in ["upshift", "wasmtime", "wasmtime-default"] if paths.micro(engine).exists()]
    best = Best()
    for _ in range(options.reps):
        for engine in engines:
            for part in ["calls", "instances"]:
                try:
                    found = measure.report([paths.micro(engine), part], limit=options.limit)
                except measure.Failed as failure:
                    wrong(engine, f"micro {part} failed: {failure}")
                    continue
                for item in ITEMS.keys() & found.keys():
                    best.keep((item, engine), float(found[item]))
    peers = [engine for engine in engines if engine != "upshift"] if "upshift" in engines else []
    table = Table("Calls and instances", ["item", *engines, *(f"x to {peer}" for peer in peers)], NOTE)
    for item, text in ITEMS.items():
        ratios = [ratio(best.get((item, "upshift")), best.get((item, peer))) for peer in peers]
        table.add(text, *(best.get((item, engine)) for engine in engines), *ratios)
    return [table]
