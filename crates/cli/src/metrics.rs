//! `--metrics`: what the engine counted and measured, and what it takes in memory, when all is over.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::path::Path;

use serde_json::{Map, Value, json};
use upshift::prometheus::Exporter;
use upshift::{Engine, MemoryUsage, MetricValue, MetricsSnapshot, Result};

use crate::destination::Destination;

/// Where metrics go.
#[derive(Debug)]
pub(crate) struct Metrics {
    /// None is standard error.
    file: Option<Destination>,
    json: bool,
}

impl Metrics {
    /// Makes the file; `-` is standard error.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(crate) fn create(path: &Path) -> Result<Metrics> {
        let json = path.extension().is_some_and(|extension| extension == OsStr::new("json"));
        let file = (path != Path::new("-")).then(|| Destination::create("--metrics", path)).transpose()?;
        Ok(Metrics { file, json })
    }

    /// Writes the metrics.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) fn write(&self, engine: &Engine) -> Result<()> {
        let (metrics, memory) = (engine.metrics(), engine.memory_usage());
        let Some(file) = &self.file else {
            crate::output::report(format_args!("{metrics}{memory}"));
            return Ok(());
        };
        file.write(|out| {
            if self.json {
                write_json(out, &metrics, &memory)
            } else {
                out.write_all(Exporter::new().text(&metrics, Some(&memory)).as_bytes())
            }
        })
    }
}

/// One object: `metrics`, a list with `name`, `unit`, `help`, the label if there is one, and `value`, or of histograms
/// `count`, `sum`, `max` and quantiles; and `memory`, bytes by kind. Times are in nanoseconds.
fn write_json(out: &mut impl Write, metrics: &MetricsSnapshot, memory: &MemoryUsage) -> io::Result<()> {
    let metrics: Vec<Value> = metrics
        .iter()
        .map(|metric| {
            let mut entry = json!({
                "name": metric.name, "unit": format!("{:?}", metric.unit).to_lowercase(), "help": metric.help,
            });
            if let Some((key, value)) = metric.label {
                entry["label"] = json!({ key: value });
            }
            match &metric.value {
                MetricValue::Counter(number) | MetricValue::Gauge(number) => entry["value"] = json!(number),
                MetricValue::Histogram(all) => {
                    entry["count"] = json!(all.count());
                    entry["sum"] = json!(all.sum());
                    entry["max"] = json!(all.max());
                    for (name, quantile) in [("p50", 0.5), ("p90", 0.9), ("p99", 0.99)] {
                        entry[name] = json!(all.quantile(quantile));
                    }
                }
            }
            entry
        })
        .collect();
    let memory: Map<String, Value> = memory.iter().map(|(kind, bytes)| (kind.to_string(), json!(bytes))).collect();
    serde_json::to_writer_pretty(&mut *out, &json!({ "metrics": metrics, "memory": memory }))
        .map_err(io::Error::from)?;
    out.write_all(b"\n")
}

#[cfg(test)]
mod tests;
