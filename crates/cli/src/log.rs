//! `--log`: what the engine does, a line each, on standard error, from its events in the crate `tracing`.

use std::fmt::Debug;
use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::process;

/// How much is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub(crate) enum Level {
    /// Modules and instances.
    Info,
    /// And functions that are compiled, tier-up, code that is freed.
    Debug,
    /// And everything else.
    Trace,
}

impl Level {
    /// Tells from now on.
    pub(crate) fn start(self) {
        let most = match self {
            Level::Info => LevelFilter::INFO,
            Level::Debug => LevelFilter::DEBUG,
            Level::Trace => LevelFilter::TRACE,
        };
        // Another one may be there in tests; it stays.
        let _ = tracing::subscriber::set_global_default(Lines { most, spans: AtomicU64::new(1) });
    }
}

/// Writes events as lines. Spans say nothing that the event at their end does not.
#[derive(Debug)]
struct Lines {
    most: LevelFilter,
    spans: AtomicU64,
}

impl Subscriber for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && metadata.target() == "upshift" && *metadata.level() <= self.most
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.most)
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(self.spans.fetch_add(1, Ordering::Relaxed))
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let line = line(process::started().elapsed().as_secs_f64(), event);
        // Where nobody reads, nothing is lost.
        let _ = std::io::stderr().write_all(line.as_bytes());
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// `[ 0.012345 s] m1 wasm.SyncCompile: module ready (1234 us)`
fn line(seconds: f64, event: &Event<'_>) -> String {
    let mut fields = Fields::default();
    event.record(&mut fields);
    let Fields { message, name, module, took } = fields;
    let module = module.map_or(String::new(), |module| format!("m{module} "));
    let took = took.map_or(String::new(), |took| format!(" ({took} us)"));
    format!("[{seconds:9.6} s] {module}{name}: {message}{took}\n")
}

#[derive(Debug, Default)]
struct Fields {
    message: String,
    name: String,
    module: Option<u64>,
    took: Option<u64>,
}

impl Visit for Fields {
    fn record_u64(&mut self, field: &Field, value: u64) {
        match field.name() {
            "module" => self.module = Some(value),
            "took_us" => self.took = Some(value),
            _ => {}
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "name" {
            self.name = value.to_string();
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            self.message = format!("{value:?}");
        }
    }
}
