//! Known failures are data: each entry of a `known_failures.toml` names the test and the configuration, and says why.

use std::collections::BTreeMap;

use super::Finding;
use super::manifest::{self, unquoted};
use super::tree::{File, Tree};

const KEYS: [&str; 3] = ["test", "config", "reason"];

/// Checks every such file.
pub fn check(tree: &Tree) -> Vec<Finding> {
    tree.files().iter().filter(|file| file.name() == "known_failures.toml").flat_map(check_file).collect()
}

fn check_file(file: &File) -> Vec<Finding> {
    let entries = match manifest::entries(&file.text) {
        Ok(entries) => entries,
        Err(error) => return vec![Finding::new(&file.path, error.line, error.message)],
    };
    let mut failures: BTreeMap<usize, (usize, Vec<String>)> = BTreeMap::new();
    for entry in entries {
        let (_, keys) = failures.entry(entry.header).or_insert((entry.line, Vec::new()));
        if !unquoted(&entry.value).is_empty() {
            keys.push(entry.key);
        }
    }
    let mut findings = Vec::new();
    for (line, keys) in failures.into_values() {
        for key in KEYS.iter().filter(|&&key| !keys.iter().any(|found| found == key)) {
            findings.push(Finding::new(&file.path, line, format!("a known failure without `{key}`")));
        }
    }
    findings
}
