//! Metrics: what an engine has done, counted and measured, in V8's spirit: how large modules and functions are, how long
//! compiling takes in which tier, how often the cache, tier-up, OSR and code GC did something.
//!
//! One table ([`metrics!`] below) says of each its name, label, unit and help. They are always on: `record` adds to them
//! with every event, and nothing else does, but for what is read when a snapshot is taken (`snapshot`). Names are stable:
//! dashboards depend on them.

mod record;
mod snapshot;

#[cfg(test)]
mod tests;

use code::metrics::{Counter, Histogram};

pub use code::metrics::Distribution;
pub use snapshot::{Metric, MetricValue, MetricsSnapshot, Unit};

macro_rules! metrics {
    (
        counters { $($counter:ident: $cname:literal $([$ckey:ident = $clabel:literal])? $cunit:ident $chelp:literal;)* }
        histograms { $($histogram:ident: $hname:literal $([$hkey:ident = $hlabel:literal])? $hunit:ident $hhelp:literal;)* }
    ) => {
        /// The metrics of an engine.
        #[derive(Debug, Default)]
        pub(crate) struct Metrics {
            $(pub(crate) $counter: Counter,)*
            $(pub(crate) $histogram: Histogram,)*
        }

        impl Metrics {
            /// Adds copies of all to a list, in the order of the table.
            fn read(&self, list: &mut Vec<Metric>) {
                $(list.push(Metric {
                    name: $cname,
                    label: None$(.or(Some((stringify!($ckey), $clabel))))?,
                    unit: Unit::$cunit,
                    help: $chelp,
                    value: MetricValue::Counter(self.$counter.get()),
                });)*
                $(list.push(Metric {
                    name: $hname,
                    label: None$(.or(Some((stringify!($hkey), $hlabel))))?,
                    unit: Unit::$hunit,
                    help: $hhelp,
                    value: MetricValue::Histogram(Box::new(self.$histogram.read())),
                });)*
            }
        }
    };
}

metrics! {
    counters {
        modules_sync: "modules_made" [method = "sync"] Count "Modules made from bytes or found in the cache.";
        modules_async: "modules_made" [method = "async"] Count "Modules made from bytes or found in the cache.";
        modules_streaming: "modules_made" [method = "streaming"] Count "Modules made from bytes or found in the cache.";
        modules_cached: "modules_cached" Count "Of modules made, those found in the cache.";
        modules_failed: "modules_failed" Count "Modules that were not valid or could not be compiled.";
        decodes_failed: "decodes_failed" Count "Modules whose sections were not valid.";
        cache_hits: "cache_events" [event = "hit"] Count "What the module cache had for who wanted a module.";
        cache_waits: "cache_events" [event = "wait"] Count "What the module cache had for who wanted a module.";
        cache_conflicts: "cache_events" [event = "conflict"] Count "What the module cache had for who wanted a module.";
        cache_misses: "cache_events" [event = "miss"] Count "What the module cache had for who wanted a module.";
        streams_aborted: "streams_aborted" Count "Streams that ended before their module did.";
        stores: "stores_made" Count "Stores made.";
        instances: "instances_made" Count "Instances made.";
        instances_failed: "instances_failed" Count "Instantiations that failed before the start function.";
        compiled_lazily: "functions_compiled" [cause = "first_call"] Count "Functions compiled, by cause; each time.";
        compiled_on_request: "functions_compiled" [cause = "request"] Count "Functions compiled, by cause; each time.";
        compiled_by_tier_up: "functions_compiled" [cause = "tier_up"] Count "Functions compiled, by cause; each time.";
        compilations_invalid: "compilations_failed" [why = "invalid"] Count "Compilations of functions that gave no code.";
        compilations_over_budget: "compilations_failed" [why = "budget"] Count
            "Compilations of functions that gave no code.";
        compilations_limited: "compilations_failed" [why = "limit"] Count "Compilations of functions that gave no code.";
        tier_ups: "tier_ups" [kind = "function"] Count "Optimizing jobs asked for by code that had spent its budget.";
        osr_requests: "tier_ups" [kind = "loop"] Count "Optimizing jobs asked for by code that had spent its budget.";
        osr_entered: "osr_entered" Count "Running calls that went on in an OSR entry.";
        retired: "code_retired" Count "Code objects that better code has replaced.";
        flushed: "functions_flushed" Count "Functions that lost their code to the ceiling.";
        collections: "code_collections" Count "Code collections that got to know what could be freed.";
        stores_awaited: "code_collection_waits" Count "Stores that a collection waited for, as they ran.";
        freed: "code_freed" Count "Code objects that they freed.";
        freed_bytes: "code_freed_size" Bytes "Machine code that they freed.";
    }
    histograms {
        module_bytes: "module_size" Bytes "Size of modules decoded.";
        module_functions: "module_functions" Count "Functions that they define.";
        decode_time: "decode_time" Seconds "Time to decode a module's sections; of a stream, from first to last byte.";
        validate_time: "validate_time" Seconds "Time to validate a module's bodies.";
        sync_time: "module_time" [method = "sync"] Seconds "Time to make a module that was not in the cache.";
        async_time: "module_time" [method = "async"] Seconds "Time to make a module that was not in the cache.";
        streaming_time: "module_time" [method = "streaming"] Seconds "Time to make a module that was not in the cache.";
        cached_time: "module_cached_time" Seconds "Time to find a module in the cache.";
        instantiate_time: "instantiate_time" Seconds "Time to make an instance, without its start function.";
        function_bytes: "function_size" Bytes "Size of the bodies of functions compiled; each time.";
        lazy_time: "lazy_compile_time" Seconds "Time that the first call of a function waited for its code.";
        baseline_time: "function_compile_time" [tier = "baseline"] Seconds "Thread time to compile a function.";
        optimizing_time: "function_compile_time" [tier = "optimizing"] Seconds "Thread time to compile a function.";
        osr_time: "function_compile_time" [tier = "osr"] Seconds "Thread time to compile a function.";
        baseline_code: "function_code_size" [tier = "baseline"] Bytes "Machine code of a function.";
        optimizing_code: "function_code_size" [tier = "optimizing"] Bytes "Machine code of a function.";
        osr_code: "function_code_size" [tier = "osr"] Bytes "Machine code of a function.";
        huge_function_bytes: "huge_function_size" Bytes "Size of the bodies of functions of 100 kB and more.";
        huge_function_time: "huge_function_compile_time" Seconds "Thread time to compile such a function.";
        code_gc_time: "code_collection_time" Seconds "Time of a code collection.";
    }
}
