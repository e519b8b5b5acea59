//! Metrics in the text format of Prometheus (version 0.0.4), which OpenMetrics readers take as well: for whoever serves them
//! over HTTP. Only with the feature `prometheus`.
//!
//! The format: of each name a line of help, a line with the type, and a line for each label or bucket. Names get the prefix
//! `upshift_`, their unit and, if they are counters, `_total`. Times are in seconds, shares from 0 to 1. The buckets of
//! histograms are the same for all of a unit, so that series can be added up: a part of the powers of two that the engine
//! counts by.

use std::fmt::{self, Write};
use std::iter::StepBy;
use std::ops::RangeInclusive;

use crate::engine::{Distribution, MemoryUsage, Metric, MetricValue, MetricsSnapshot, Unit};

#[cfg(test)]
mod tests;

/// The media type to serve the text with.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Writes metrics as text, with labels of one's own.
///
/// ```
/// use std::io::{Read, Write};
/// use std::net::{TcpListener, TcpStream};
/// use upshift::prometheus::{CONTENT_TYPE, Exporter};
/// use upshift::{Engine, Module};
///
/// # fn main() -> upshift::Result<()> {
/// let engine = Engine::default();
/// Module::new(&engine, "(module (func))")?.compile_all()?;
///
/// // A server for one request; a real one would look at what is asked for.
/// let listener = TcpListener::bind("127.0.0.1:0")?;
/// let address = listener.local_addr()?;
/// let server = std::thread::spawn(move || -> std::io::Result<()> {
///     let (mut stream, _) = listener.accept()?;
///     stream.read(&mut [0; 1024])?;
///     let body = Exporter::new().label("service", "demo").text(&engine.metrics(), Some(&engine.memory_usage()));
///     write!(stream, "HTTP/1.0 200 OK\r\nContent-Type: {CONTENT_TYPE}\r\n\r\n{body}")
/// });
/// let mut client = TcpStream::connect(address)?;
/// client.write_all(b"GET /metrics HTTP/1.0\r\n\r\n")?;
/// let mut answer = String::new();
/// client.read_to_string(&mut answer)?;
/// server.join().unwrap()?;
/// assert!(answer.contains("upshift_functions_compiled_total{service=\"demo\",cause=\"request\"} 1\n"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Exporter {
    labels: Vec<(String, String)>,
}

impl Exporter {
    /// An exporter without labels of its own.
    pub fn new() -> Exporter {
        Exporter::default()
    }

    /// Adds a label to every metric, such as which engine of several it is of. The value may be anything.
    ///
    /// A name consists of letters, digits and underscores, and begins with no digit, nor with two underscores: what is not
    /// so is made so, with underscores (`pod.name` becomes `pod_name`). A name that some metrics have themselves, such as
    /// `tier`, becomes `exported_tier`, as a server would call it. The same name again replaces the value.
    #[must_use]
    pub fn label(mut self, name: impl AsRef<str>, value: impl Into<String>) -> Exporter {
        let (name, value) = (label_name(name.as_ref()), value.into());
        match self.labels.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => *old = value,
            None => self.labels.push((name, value)),
        }
        self
    }

    /// The metrics as text, and what memory is taken for, if given.
    pub fn text(&self, metrics: &MetricsSnapshot, memory: Option<&MemoryUsage>) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = self.write(&mut text, metrics, memory);
        text
    }

    fn write(&self, out: &mut String, metrics: &MetricsSnapshot, memory: Option<&MemoryUsage>) -> fmt::Result {
        let mut last = "";
        for metric in metrics.iter() {
            let name = full_name(metric);
            if metric.name != last {
                last = metric.name;
                head(out, &name, metric.help, kind(&metric.value))?;
            }
            match &metric.value {
                MetricValue::Counter(number) | MetricValue::Gauge(number) => {
                    let labels = self.labels(metric.label.as_slice());
                    writeln!(out, "{name}{labels} {}", number_text(metric.unit, *number))?;
                }
                MetricValue::Histogram(all) => self.histogram(out, &name, metric, all)?,
            }
        }
        let Some(memory) = memory else { return Ok(()) };
        head(out, "upshift_memory_bytes", "Memory that the engine and its modules and stores take.", "gauge")?;
        for (kind, bytes) in memory.iter() {
            writeln!(out, "upshift_memory_bytes{} {bytes}", self.labels(&[("kind", kind)]))?;
        }
        Ok(())
    }

    fn histogram(&self, out: &mut String, name: &str, metric: &Metric, all: &Distribution) -> fmt::Result {
        let labels = |bound: Option<&str>| {
            let mut own = Vec::from(metric.label.as_slice());
            own.extend(bound.map(|bound| ("le", bound)));
            self.labels(&own)
        };
        for bits in bits(metric.unit) {
            let bound = number_text(metric.unit, (1 << bits) - 1);
            writeln!(out, "{name}_bucket{} {}", labels(Some(&bound)), all.at_most_bits(bits))?;
        }
        writeln!(out, "{name}_bucket{} {}", labels(Some("+Inf")), all.count())?;
        writeln!(out, "{name}_sum{} {}", labels(None), number_text(metric.unit, all.sum()))?;
        writeln!(out, "{name}_count{} {}", labels(None), all.count())
    }

    /// The labels in braces, or nothing.
    fn labels(&self, own: &[(&str, &str)]) -> String {
        let all = self.labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).chain(own.iter().copied());
        let all: Vec<String> = all.map(|(name, value)| format!("{name}=\"{}\"", Escaped(value, true))).collect();
        if all.is_empty() { String::new() } else { format!("{{{}}}", all.join(",")) }
    }
}

/// The labels that metrics have themselves.
const OWN_LABELS: &[&str] = &["cause", "event", "how", "kind", "le", "method", "result", "tier", "why"];

/// A name that the format allows, nobody else uses, and that looks like this one.
fn label_name(name: &str) -> String {
    let allowed = |character: char| if character.is_ascii_alphanumeric() { character } else { '_' };
    let name: String = name.chars().map(allowed).collect();
    let bare = name.trim_start_matches('_');
    if OWN_LABELS.contains(&bare) && bare.len() == name.len() {
        return format!("exported_{name}");
    }
    if bare.len() == name.len() && !bare.starts_with(|first: char| first.is_ascii_digit()) && !bare.is_empty() {
        return name;
    }
    format!("_{bare}")
}

fn head(out: &mut String, name: &str, help: &str, kind: &str) -> fmt::Result {
    writeln!(out, "# HELP {name} {}\n# TYPE {name} {kind}", Escaped(help, false))
}

fn kind(value: &MetricValue) -> &'static str {
    match value {
        MetricValue::Counter(_) => "counter",
        MetricValue::Gauge(_) => "gauge",
        MetricValue::Histogram(_) => "histogram",
    }
}

fn full_name(metric: &Metric) -> String {
    let unit = match metric.unit {
        Unit::Count => "",
        Unit::Bytes => "_bytes",
        Unit::Seconds => "_seconds",
        Unit::Percent => "_ratio",
    };
    let total = if matches!(metric.value, MetricValue::Counter(_)) { "_total" } else { "" };
    format!("upshift_{}{unit}{total}", metric.name)
}

/// The numbers of bits of a unit's buckets: 1 to 2^20 things, 64 bytes to 1 GiB, 1 us to 69 s; of parts every one of them.
fn bits(unit: Unit) -> StepBy<RangeInclusive<usize>> {
    match unit {
        Unit::Count => (1..=21).step_by(2),
        Unit::Bytes => (6..=30).step_by(2),
        Unit::Seconds => (10..=36).step_by(2),
        Unit::Percent => (0..=6).step_by(1),
    }
}

/// A number of a unit in the unit of the format, without loss.
fn number_text(unit: Unit, number: u64) -> String {
    match unit {
        Unit::Count | Unit::Bytes => number.to_string(),
        Unit::Percent => format!("{}.{:02}", number / 100, number % 100),
        Unit::Seconds => format!("{}.{:09}", number / 1_000_000_000, number % 1_000_000_000),
    }
}

/// Text with backslashes and line ends spelt out, and quotes, if it stands in quotes.
struct Escaped<'text>(&'text str, bool);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Escaped(text, quoted) = *self;
        text.chars().try_for_each(|character| match character {
            '\\' => f.write_str("\\\\"),
            '\n' => f.write_str("\\n"),
            '"' if quoted => f.write_str("\\\""),
            _ => f.write_char(character),
        })
    }
}
