//! From events to metrics: the one place where they are counted.

use std::time::Duration;

use abi::tier::Tier;
use code::metrics::Histogram;

use super::Metrics;
use crate::events::{CacheOutcome, Cause, CodeGcStep, CompileMethod, EventKind, Outcome, StreamStep};
use crate::tuning;

impl Metrics {
    /// Counts an event that took so long. Adds, and nothing else: it is on the way of every compilation.
    pub(crate) fn record(&self, kind: &EventKind, took: Duration) {
        match *kind {
            EventKind::Decode { bytes, functions, success, .. } => {
                self.decode_time.add(nanos(took));
                if success {
                    self.module_bytes.add(bytes as u64);
                    self.module_functions.add(functions as u64);
                } else {
                    self.decodes_failed.add(1);
                }
            }
            EventKind::Validate { .. } => self.validate_time.add(nanos(took)),
            EventKind::Module { method, cached, success, finish, .. } => {
                if let Some(finish) = finish.filter(|_| success) {
                    self.finish_time.add(nanos(finish));
                }
                self.record_module(method, cached, success, took);
            }
            EventKind::Cache { outcome } => {
                let counter = match outcome {
                    CacheOutcome::Hit => &self.cache_hits,
                    CacheOutcome::Wait => &self.cache_waits,
                    CacheOutcome::Conflict => &self.cache_conflicts,
                    CacheOutcome::Miss => &self.cache_misses,
                };
                counter.add(1);
            }
            EventKind::Stream { step: StreamStep::Own } => self.cache_misses.add(1),
            EventKind::Stream { step: StreamStep::Collect } => {}
            EventKind::Stream { step: StreamStep::Abort } => self.streams_aborted.add(1),
            EventKind::Instantiate { success: true, .. } => {
                self.instances.add(1);
                self.instantiate_time.add(nanos(took));
            }
            EventKind::Instantiate { success: false, .. } => self.instances_failed.add(1),
            EventKind::Compile { tier, osr, cause, wasm_bytes, cpu, outcome, .. } => {
                if cause == Cause::FirstCall {
                    self.lazy_time.add(nanos(took));
                }
                self.record_compilation(tier, osr.is_some(), cause, (wasm_bytes, cpu), outcome);
            }
            EventKind::TierUp { osr, .. } => if osr.is_some() { &self.osr_requests } else { &self.tier_ups }.add(1),
            // Counted when it was compiled.
            EventKind::Publish { .. } => {}
            EventKind::Retire { .. } => self.retired.add(1),
            EventKind::OsrEnter { .. } => self.osr_entered.add(1),
            EventKind::Flush { code_bytes, .. } => {
                self.flushed.add(1);
                self.flushed_bytes.add(code_bytes as u64);
            }
            EventKind::CodeGc { freed, freed_bytes, freed_percent, .. } => {
                self.freed_percent.add(freed_percent.into());
                self.collections.add(1);
                self.freed.add(freed as u64);
                self.freed_bytes.add(freed_bytes as u64);
                self.code_gc_time.add(nanos(took));
            }
            EventKind::CodeGcStep { step: CodeGcStep::Wait { stores }, .. } => self.stores_awaited.add(stores as u64),
            EventKind::CodeGcStep { .. } => {}
            EventKind::StoreMade => self.stores.add(1),
            // The engine counts what there is of these, and takes its metrics along when it goes.
            EventKind::StoreDropped | EventKind::ModuleDropped | EventKind::EngineDropped { .. } => {}
        }
    }

    fn record_module(&self, method: CompileMethod, cached: bool, success: bool, took: Duration) {
        if !success {
            return self.modules_failed.add(1);
        }
        let (counter, time) = match method {
            CompileMethod::Sync => (&self.modules_sync, &self.sync_time),
            CompileMethod::Async => (&self.modules_async, &self.async_time),
            CompileMethod::Streaming => (&self.modules_streaming, &self.streaming_time),
        };
        counter.add(1);
        if cached {
            self.modules_cached.add(1);
            self.cached_time.add(nanos(took));
        } else {
            time.add(nanos(took));
        }
    }

    fn record_compilation(
        &self,
        tier: Tier,
        osr: bool,
        cause: Cause,
        (wasm_bytes, cpu): (usize, Duration),
        outcome: Outcome,
    ) {
        let code_bytes = match outcome {
            Outcome::Done { code_bytes } => code_bytes,
            Outcome::Invalid => return self.compilations_invalid.add(1),
            Outcome::OverBudget => return self.compilations_over_budget.add(1),
            Outcome::Failed => return self.compilations_limited.add(1),
        };
        let counter = match cause {
            Cause::FirstCall => &self.compiled_lazily,
            Cause::Request => &self.compiled_on_request,
            Cause::TierUp => &self.compiled_by_tier_up,
        };
        counter.add(1);
        let (time, code): (&Histogram, &Histogram) = match tier {
            _ if osr => (&self.osr_time, &self.osr_code),
            Tier::Baseline => (&self.baseline_time, &self.baseline_code),
            Tier::Optimizing => (&self.optimizing_time, &self.optimizing_code),
        };
        time.add(nanos(cpu));
        code.add(code_bytes as u64);
        self.function_bytes.add(wasm_bytes as u64);
        if wasm_bytes >= tuning::HUGE_FUNCTION {
            self.huge_function_bytes.add(wasm_bytes as u64);
            self.huge_function_time.add(nanos(cpu));
        }
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
