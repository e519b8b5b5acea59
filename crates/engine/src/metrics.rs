//! Metrics: what an engine has done, counted and measured, in V8's spirit: how large modules and functions are, how long
//! compiling takes in which tier, how often the cache, tier-up, OSR and code GC did something.
//!
//! One table ([`metrics!`] below) says of each its name, label, unit and help, and all else is made of it. They are always on:
//! `record` adds to counters and histograms with every event, and nothing else does. What somebody else counts already, or
//! knows at any time, has a row that says where it is read when a snapshot is taken. Names are stable: dashboards depend on
//! them.
//!
//! Of V8's metrics these are not here, as there is nothing that they could say: code spaces of a module (there is one region
//! for all), deoptimizations, protection keys, deserialization, the split by asm.js; and the memory that the compiler of a
//! huge function takes at its peak, which nobody measures.

mod record;
mod snapshot;

#[cfg(test)]
mod tests;

use code::metrics::{Counter, Histogram};

use crate::engine::Engine;

pub use code::metrics::Distribution;
pub use snapshot::{Metric, MetricValue, MetricsSnapshot, Unit};

macro_rules! metrics {
    (
        counters { $($cname:literal $cunit:ident $chelp:literal:
            $($counter:ident $([$ckey:ident = $clabel:literal])?),+;)* }
        histograms { $($hname:literal $hunit:ident $hhelp:literal:
            $($histogram:ident $([$hkey:ident = $hlabel:literal])?),+;)* }
        read |$engine:ident| { $($rkind:ident $rname:literal $runit:ident $rhelp:literal:
            $($read:expr $(=> $rkey:ident = $rlabel:literal)?),+;)* }
    ) => {
        /// The metrics of an engine.
        #[derive(Debug, Default)]
        pub(crate) struct Metrics {
            $($(pub(crate) $counter: Counter,)+)*
            $($(pub(crate) $histogram: Histogram,)+)*
        }

        impl Metrics {
            /// Adds copies of all to a list, in the order of the table.
            fn read(&self, list: &mut Vec<Metric>) {
                $($(list.push(Metric {
                    name: $cname,
                    label: None$(.or(Some((stringify!($ckey), $clabel))))?,
                    unit: Unit::$cunit,
                    help: $chelp,
                    value: MetricValue::Counter(self.$counter.get()),
                });)+)*
                $($(list.push(Metric {
                    name: $hname,
                    label: None$(.or(Some((stringify!($hkey), $hlabel))))?,
                    unit: Unit::$hunit,
                    help: $hhelp,
                    value: MetricValue::Histogram(Box::new(self.$histogram.read())),
                });)+)*
            }

            /// Adds what an engine's parts know of themselves.
            fn read_engine($engine: &Engine, list: &mut Vec<Metric>) {
                $($(list.push(Metric {
                    name: $rname,
                    label: None$(.or(Some((stringify!($rkey), $rlabel))))?,
                    unit: Unit::$runit,
                    help: $rhelp,
                    value: MetricValue::$rkind(u64::try_from($read).unwrap_or(u64::MAX)),
                });)+)*
            }
        }
    };
}

// A row: the name, what its numbers count, what it is; then where it is kept or read, with what tells it from others of its
// name.
metrics! {
    counters {
        "modules_made" Count "Modules made from bytes or found in the cache.":
            modules_sync [method = "sync"], modules_async [method = "async"], modules_streaming [method = "streaming"];
        "modules_cached" Count "Of modules made, those found in the cache.": modules_cached;
        "modules_failed" Count "Modules that were not valid or could not be compiled.": modules_failed;
        "decodes_failed" Count "Modules whose sections were not valid.": decodes_failed;
        "cache_events" Count "What the module cache had for who wanted a module.":
            cache_hits [event = "hit"], cache_waits [event = "wait"], cache_conflicts [event = "conflict"], cache_misses [event = "miss"];
        "streams_aborted" Count "Streams that ended before their module did.": streams_aborted;
        "stores_made" Count "Stores made.": stores;
        "instances_made" Count "Instances made.": instances;
        "instances_failed" Count "Instantiations that failed before the start function.": instances_failed;
        "functions_compiled" Count "Functions compiled, by cause; each time.":
            compiled_lazily [cause = "first_call"],
            compiled_on_request [cause = "request"],
            compiled_by_tier_up [cause = "tier_up"];
        "compilations_failed" Count "Compilations of functions that gave no code.":
            compilations_invalid [why = "invalid"],
            compilations_over_budget [why = "budget"],
            compilations_limited [why = "limit"];
        "tier_ups" Count "Optimizing jobs asked for by code that had spent its budget.":
            tier_ups [kind = "function"], osr_requests [kind = "loop"];
        "osr_entered" Count "Running calls that went on in an OSR entry.": osr_entered;
        "code_retired" Count "Code objects that better code has replaced.": retired;
        "functions_flushed" Count "Functions that lost their code, to the ceiling or because somebody asked.": flushed;
        "functions_flushed_size" Bytes "Machine code that they had.": flushed_bytes;
        "code_collections" Count "Code collections that got to know what could be freed.": collections;
        "code_collection_waits" Count "Stores that a collection waited for, as they ran.": stores_awaited;
        "code_freed" Count "Code objects that they freed.": freed;
        "code_freed_size" Bytes "Machine code that they freed.": freed_bytes;
    }
    histograms {
        "module_size" Bytes "Size of modules decoded.": module_bytes;
        "module_functions" Count "Functions that they define.": module_functions;
        "decode_time" Seconds "Time to decode a module's sections; of a stream, from first to last byte.": decode_time;
        "validate_time" Seconds "Time to validate a module's bodies.": validate_time;
        "module_time" Seconds "Time to make a module that was not in the cache.":
            sync_time [method = "sync"], async_time [method = "async"], streaming_time [method = "streaming"];
        "stream_finish_time" Seconds "Time from the last byte of a stream to its module.": finish_time;
        "module_cached_time" Seconds "Time to find a module in the cache.": cached_time;
        "instantiate_time" Seconds "Time to make an instance, without its start function.": instantiate_time;
        "function_size" Bytes "Size of the bodies of functions compiled; each time.": function_bytes;
        "lazy_compile_time" Seconds "Time that the first call of a function waited for its code.": lazy_time;
        "function_compile_time" Seconds "Thread time to compile a function.":
            baseline_time [tier = "baseline"], optimizing_time [tier = "optimizing"], osr_time [tier = "osr"];
        "function_code_size" Bytes "Machine code of a function.":
            baseline_code [tier = "baseline"], optimizing_code [tier = "optimizing"], osr_code [tier = "osr"];
        "huge_function_size" Bytes "Size of the bodies of functions of 100 kB and more.": huge_function_bytes;
        "huge_function_compile_time" Seconds "Thread time to compile such a function.": huge_function_time;
        "code_collection_time" Seconds "Time of a code collection.": code_gc_time;
        "code_collection_freed" Percent "Share of the memory of all code that a collection freed.": freed_percent;
    }
    read |engine| {
        Counter "code_collections_remembered" Count "Code collections asked for while there was one, and made after it.":
            engine.service().code_gc.statistics().remembered;
        Counter "memories_made" Count "Linear memories asked for, and how they were got.":
            engine.memory_counts().reused.get() => how = "reused",
            engine.memory_counts().guarded.get() => how = "guarded",
            engine.memory_counts().checked.get() => how = "checked",
            engine.memory_counts().unguarded.get() => how = "unguarded";
        Counter "memories_failed" Count "Linear memories that were not made.":
            engine.memory_counts().refused.get() => why = "limit",
            engine.memory_counts().failed.get() => why = "system";
        Counter "memory_growths" Count "Attempts to grow a linear memory.":
            engine.memory_counts().grown.get() => result = "grown",
            engine.memory_counts().growth_refused.get() => result = "refused",
            engine.memory_counts().growth_failed.get() => result = "failed";
        Gauge "modules" Count "Modules that live.": engine.service().registry.modules().len();
        Gauge "stores" Count "Stores that live.": engine.service().stores.len();
        Gauge "jobs_queued" Count "Optimizing jobs that wait.": engine.service().queue.len().0;
        Gauge "jobs_running" Count "Optimizing jobs that run.": engine.service().queue.len().1;
        Gauge "stubs" Count "Stubs between host and Wasm.":
            engine.service().stubs.caches()[0].statistics().count => kind = "entry",
            engine.service().stubs.caches()[1].statistics().count => kind = "exit";
        Gauge "code_size" Bytes "Code memory in use, stubs included.": engine.service().space.used();
        Gauge "code_retired_size" Bytes "Of that, code that nothing leads to.": engine.service().space.retired_bytes();
    }
}
