//! The table of metrics, and copies of it.

use std::collections::HashMap;

use super::*;
use crate::config::Config;
use crate::engine::Engine;

fn snapshot() -> MetricsSnapshot {
    Engine::new(Config::default()).unwrap().metrics()
}

#[test]
fn names_and_labels_are_unique_and_names_stay_together() {
    let snapshot = snapshot();
    let mut last = "";
    let mut seen: HashMap<&str, Vec<Option<&str>>> = HashMap::new();
    for metric in snapshot.iter() {
        let labels = seen.entry(metric.name).or_default();
        assert!(labels.is_empty() || last == metric.name, "{} is in two places", metric.name);
        let label = metric.label.map(|(_, value)| value);
        assert!(!labels.contains(&label), "{} {label:?} twice", metric.name);
        assert!(labels.is_empty() || !labels.contains(&None), "{} with and without label", metric.name);
        labels.push(label);
        let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        assert!(plain(metric.name) && metric.label.is_none_or(|(key, value)| plain(key) && plain(value)));
        assert!(metric.help.ends_with('.'));
        last = metric.name;
    }
}

#[test]
fn metrics_of_one_name_agree() {
    let snapshot = snapshot();
    let mut first: HashMap<&str, &Metric> = HashMap::new();
    for metric in snapshot.iter() {
        let other = first.entry(metric.name).or_insert(metric);
        assert_eq!((other.unit, other.help), (metric.unit, metric.help), "{}", metric.name);
        assert_eq!(std::mem::discriminant(&other.value), std::mem::discriminant(&metric.value));
        assert_eq!(other.label.map(|(key, _)| key), metric.label.map(|(key, _)| key));
    }
}

#[test]
fn copies_are_looked_up_by_name_and_label() {
    let metrics = Metrics::default();
    metrics.cache_hits.add(2);
    metrics.cache_waits.add(3);
    metrics.baseline_time.add(1500);
    let mut list = Vec::new();
    metrics.read(&mut list);
    let snapshot = MetricsSnapshot::from(list);
    assert_eq!((snapshot.total("cache_events"), snapshot.total("nothing")), (Some(5), None));
    assert_eq!(snapshot.get("cache_events", Some("hit")), Some(&MetricValue::Counter(2)));
    assert_eq!(snapshot.get("cache_events", None), None);
    assert_eq!(snapshot.histogram("function_compile_time", Some("baseline")).unwrap().sum(), 1500);
    assert!(snapshot.histogram("cache_events", Some("hit")).is_none());
    let table = snapshot.to_string();
    assert!(table.contains("cache_events (event hit)") && table.contains("1.5\u{b5}s"), "{table}");
    assert!(!table.contains("osr_entered"), "zeros are left out: {table}");
}
