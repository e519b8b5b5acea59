//! A copy of an engine's metrics at one moment, as plain data.

use std::fmt;
use std::time::Duration;

use code::metrics::Distribution;

use super::Metrics;
use crate::engine::Engine;

/// What a metric's numbers count.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Unit {
    /// Things.
    Count,
    /// Bytes.
    Bytes,
    /// Time, which is kept in nanoseconds.
    Seconds,
    /// Parts of a whole, in hundredths.
    Percent,
}

/// The value of a metric.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum MetricValue {
    /// A number that only grows.
    Counter(u64),
    /// What there is now.
    Gauge(u64),
    /// How often which values came.
    Histogram(Box<Distribution>),
}

/// One metric.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Metric {
    /// Its name, the same in all versions. Metrics of one name differ by label, and follow each other.
    pub name: &'static str,
    /// What tells it from others of its name: a key and a value.
    pub label: Option<(&'static str, &'static str)>,
    /// What its numbers count.
    pub unit: Unit,
    /// What it is, in a sentence.
    pub help: &'static str,
    /// Its value.
    pub value: MetricValue,
}

/// All metrics of an engine at one moment.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct MetricsSnapshot {
    metrics: Vec<Metric>,
}

impl MetricsSnapshot {
    pub(crate) fn of(engine: &Engine) -> MetricsSnapshot {
        let mut metrics = Vec::new();
        engine.service().events.metrics().read(&mut metrics);
        Metrics::read_engine(engine, &mut metrics);
        metrics.into()
    }

    /// All metrics, in an order that does not change.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Metric> + '_ {
        self.metrics.iter()
    }

    /// The sum of the counters or gauges of a name, over their labels; none if there is none.
    pub fn total(&self, name: &str) -> Option<u64> {
        let numbers =
            self.metrics.iter().filter(|metric| metric.name == name).filter_map(|metric| match metric.value {
                MetricValue::Counter(number) | MetricValue::Gauge(number) => Some(number),
                MetricValue::Histogram(_) => None,
            });
        numbers.reduce(u64::saturating_add)
    }

    /// The value of a metric with this label, or without one.
    pub fn get(&self, name: &str, label: Option<&str>) -> Option<&MetricValue> {
        let is_it = |metric: &&Metric| metric.name == name && metric.label.map(|(_, value)| value) == label;
        self.metrics.iter().find(is_it).map(|metric| &metric.value)
    }

    /// The histogram of a name with this label, or without one.
    pub fn histogram(&self, name: &str, label: Option<&str>) -> Option<&Distribution> {
        match self.get(name, label)? {
            MetricValue::Histogram(histogram) => Some(histogram),
            MetricValue::Counter(_) | MetricValue::Gauge(_) => None,
        }
    }
}

impl From<Vec<Metric>> for MetricsSnapshot {
    fn from(metrics: Vec<Metric>) -> MetricsSnapshot {
        MetricsSnapshot { metrics }
    }
}

impl fmt::Display for MetricsSnapshot {
    /// A table of all metrics that are not zero.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<44} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}", "", "count", "mean", "50 %", "99 %", "most", "sum")?;
        for Metric { name, label, unit, value, .. } in &self.metrics {
            let name = match label {
                Some((key, value)) => format!("{name} ({key} {value})"),
                None => (*name).to_string(),
            };
            let show = |number: Option<u64>| number.map_or(String::new(), |number| unit.show(number));
            match value {
                MetricValue::Counter(0) | MetricValue::Gauge(0) => {}
                MetricValue::Counter(number) | MetricValue::Gauge(number) => {
                    writeln!(f, "{name:<44} {:>9}", unit.show(*number))?;
                }
                MetricValue::Histogram(all) if all.count() == 0 => {}
                MetricValue::Histogram(all) => {
                    let (half, most) = (show(all.quantile(0.5)), show(Some(all.max())));
                    write!(f, "{name:<44} {:>9} {:>9} {half:>9}", all.count(), show(all.mean()))?;
                    writeln!(f, " {:>9} {most:>9} {:>9}", show(all.quantile(0.99)), show(Some(all.sum())))?;
                }
            }
        }
        Ok(())
    }
}

impl Unit {
    /// A number in this unit, in a few characters.
    #[allow(clippy::cast_precision_loss, reason = "shown with three digits")]
    fn show(self, number: u64) -> String {
        match self {
            Unit::Count => number.to_string(),
            Unit::Percent => format!("{number} %"),
            Unit::Seconds => format!("{:.1?}", Duration::from_nanos(number)),
            Unit::Bytes if number < 10_000 => format!("{number} B"),
            Unit::Bytes if number < 10_000_000 => format!("{:.1} KiB", number as f64 / 1024.0),
            Unit::Bytes => format!("{:.1} MiB", number as f64 / 1_048_576.0),
        }
    }
}
