//! The text is what a reader of the format takes: heads once and first, buckets that add up, values escaped.

use std::collections::{HashMap, HashSet};

use super::*;
use crate::{Engine, Module};

fn engine() -> Engine {
    let engine = Engine::default();
    Module::new(&engine, "(module (func) (func) (func))").unwrap().compile_all().unwrap();
    Module::new(&engine, "(module (func i32.add))").unwrap_err();
    engine
}

/// A line of values: name, labels, value.
fn samples(text: &str) -> Vec<(&str, &str, f64)> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let (series, value) = line.rsplit_once(' ').unwrap();
            let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
            (name, labels.strip_suffix('}').unwrap(), value.parse().unwrap())
        })
        .collect()
}

#[test]
fn every_name_has_one_head_before_its_values() {
    let engine = engine();
    let text = Exporter::new().text(&engine.metrics(), Some(&engine.memory_usage()));
    let (mut helped, mut types) = (HashSet::new(), HashMap::new());
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            assert!(helped.insert(rest.split_once(' ').unwrap().0), "{line}");
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert!(helped.contains(name) && types.insert(name, kind).is_none(), "{line}");
        } else {
            let name = line.split(['{', ' ']).next().unwrap();
            let base = ["_bucket", "_sum", "_count"].iter().find_map(|suffix| name.strip_suffix(suffix));
            let kind = types.get(name).or_else(|| types.get(base?)).unwrap_or_else(|| panic!("{line}"));
            assert!(name.starts_with("upshift_"));
            assert_eq!(*kind == "counter", name.ends_with("_total"), "{line}");
        }
    }
    assert!(text.ends_with('\n') && types["upshift_function_compile_time_seconds"] == "histogram");
    let series: Vec<_> = samples(&text).into_iter().map(|(name, labels, _)| (name, labels)).collect();
    assert_eq!(series.len(), series.iter().collect::<HashSet<_>>().len(), "a series is given once");
}

#[test]
fn buckets_add_up() {
    let engine = engine();
    let text = Exporter::new().text(&engine.metrics(), None);
    let mut before: HashMap<String, (f64, f64)> = HashMap::new();
    let mut ended: HashMap<String, f64> = HashMap::new();
    for (name, labels, value) in samples(&text) {
        let Some(base) = name.strip_suffix("_bucket") else { continue };
        let (own, bound) = labels.rsplit_once("le=\"").unwrap();
        let series = format!("{base}{{{}", own.trim_end_matches(','));
        let bound = bound.trim_end_matches('"');
        let bound: f64 = if bound == "+Inf" { f64::INFINITY } else { bound.parse().unwrap() };
        let (last_bound, last) = before.insert(series.clone(), (bound, value)).unwrap_or((-1.0, 0.0));
        assert!(last_bound < bound && last <= value, "{series} {bound}");
        if bound.is_infinite() {
            ended.insert(series, value);
        }
    }
    assert_eq!(before.len(), ended.len(), "the last bucket holds all");
    for (name, labels, value) in samples(&text) {
        if let Some(base) = name.strip_suffix("_count") {
            assert_eq!(ended[&format!("{base}{{{labels}")], value);
        }
    }
    let baseline = "upshift_function_compile_time_seconds{tier=\"baseline\"";
    assert!((ended[baseline] - 3.0).abs() < f64::EPSILON);
}

#[test]
fn values_are_exact_and_escaped() {
    assert_eq!(number_text(Unit::Seconds, 1_500_000_001), "1.500000001");
    assert_eq!((number_text(Unit::Percent, 7), number_text(Unit::Percent, 100)), ("0.07".into(), "1.00".into()));
    assert_eq!(number_text(Unit::Bytes, u64::MAX), u64::MAX.to_string());
    let exporter = Exporter::new().label("path", "a\\b\"c\nd");
    assert_eq!(exporter.labels(&[("kind", "x")]), r#"{path="a\\b\"c\nd",kind="x"}"#);
    assert_eq!(Exporter::new().labels(&[]), "");
    assert_eq!(Escaped("a \"b\"\n", false).to_string(), "a \"b\"\\n");
    let text = exporter.text(&engine().metrics(), None);
    assert!(text.contains("upshift_modules_failed_total{path=\"a\\\\b\\\"c\\nd\"} 1\n"), "{text}");
}

/// Whatever a label is called, the text is one that a reader takes, and says each label once.
#[test]
fn label_names_are_made_to_fit() {
    let names = [
        ("service", "service"),
        ("pod.name", "pod_name"),
        ("a b\n\"{}=,", "a_b______"),
        ("9lives", "_9lives"),
        ("", "_"),
        ("__name__", "_name__"),
        ("_ok", "_ok"),
        ("\u{fc}ber", "_ber"),
        ("le", "exported_le"),
        ("tier", "exported_tier"),
    ];
    let engine = engine();
    for (given, expected) in names {
        let text = Exporter::new().label(given, "v").text(&engine.metrics(), Some(&engine.memory_usage()));
        for (_, labels, _) in samples(&text) {
            let names: Vec<_> = labels.split("\",").map(|label| label.split_once("=\"").expect("a label").0).collect();
            assert_eq!(names.iter().filter(|&&name| name == expected).count(), 1, "{given:?}: {labels}");
            assert_eq!(names.len(), names.iter().collect::<HashSet<_>>().len(), "{given:?}: {labels}");
        }
    }
    let twice = Exporter::new().label("a.b", "1").label("c", "2").label("a_b", "3");
    assert_eq!(twice.labels(&[]), r#"{a_b="3",c="2"}"#);
}

#[test]
fn labels_of_metrics_are_known() {
    let engine = engine();
    let metrics = engine.metrics();
    let own: HashSet<_> = metrics.iter().filter_map(|metric| Some(metric.label?.0)).chain(["le", "kind"]).collect();
    assert_eq!(own, OWN_LABELS.iter().copied().collect());
}
