//! The list: what it accepts, what it misses, and how it is rewritten.

use super::{Known, Place};
use crate::scripts::configuration::Configuration::{Optimizing, OptimizingChecked};

fn place(file: &str, line: usize) -> Place {
    Place { file: file.to_string(), line }
}

const LIST: &str = r#"
    [[failure]]
    test = "a/x.wast"
    lines = [3, 5]
    config = ["optimizing", "optimizing-checked"]
    reason = "gc"

    [[failure]]
    test = "a/y.wast"
    config = ["optimizing"]
    reason = "threads"
"#;

#[test]
fn lists_lines_and_whole_files_by_configuration() {
    let known = Known::parse(LIST);
    assert!(known.lists(&place("a/x.wast", 3), Optimizing));
    assert!(!known.lists(&place("a/x.wast", 4), Optimizing));
    assert!(known.lists(&place("a/y.wast", 77), Optimizing));
    assert!(!known.lists(&place("a/y.wast", 77), OptimizingChecked));
}

#[test]
fn what_is_listed_and_passes_is_missing() {
    let known = Known::parse(LIST);
    let files = ["a/x.wast".to_string(), "a/y.wast".to_string()];
    let failed = [place("a/x.wast", 3)].into();
    assert_eq!(known.missing(&files, Optimizing, &failed), ["a/x.wast:5", "a/y.wast"]);
    assert_eq!(known.missing(&files[1..], OptimizingChecked, &failed), Vec::<String>::new());
}

#[test]
fn blessing_keeps_reasons_and_other_configurations() {
    let files = ["a/x.wast".to_string(), "a/y.wast".to_string()];
    let failures = vec![(place("a/x.wast", 5), "other".to_string()), (place("a/x.wast", 9), "new".to_string())];
    let known = Known::parse(LIST).updated(&files, Optimizing, failures);
    let text = known.to_string();
    let again = Known::parse(&text);
    assert_eq!(again.entries, known.entries);
    assert!(again.lists(&place("a/x.wast", 3), OptimizingChecked) && !again.lists(&place("a/x.wast", 3), Optimizing));
    assert!(again.lists(&place("a/x.wast", 9), Optimizing) && !again.lists(&place("a/x.wast", 9), OptimizingChecked));
    assert!(!again.lists(&place("a/y.wast", 1), Optimizing));
    assert!(text.contains("reason = \"new\"") && !text.contains("other"));
}
