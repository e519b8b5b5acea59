//! Every dependency has a reason: a row of the table under "Dependencies" in `docs/architecture.md`.

use std::collections::HashMap;

use super::imports::{Package, workspace_table};
use super::tree::Tree;
use super::{Finding, manifest};

const DOCUMENT: &str = "docs/architecture.md";
const HEADING: &str = "## Dependencies";

/// Checks the workspace's table against the document, both ways.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let Some(root) = tree.file("Cargo.toml") else { return vec![Finding::new("Cargo.toml", 1, "is missing")] };
    let Ok(entries) = manifest::entries(&root.text) else {
        return vec![Finding::new(&root.path, 1, "cannot be read as a manifest")];
    };
    let Some(document) = tree.file(DOCUMENT) else { return vec![Finding::new(DOCUMENT, 1, "is missing")] };
    let reasons = reasons(&document.text);
    let table = workspace_table(tree);
    let mut findings = Vec::new();
    for dependency in manifest::dependencies(&entries) {
        let external = matches!(table.get(&dependency.key), Some(Package::Other(_)));
        if external && !reasons.contains_key(dependency.key.as_str()) {
            let message = format!("`{}` has no row under \"{HEADING}\" in {DOCUMENT}", dependency.key);
            findings.push(Finding::new(&root.path, dependency.line, message));
        }
    }
    let stale = reasons.iter().filter(|(name, _)| !table.contains_key(**name));
    findings.extend(stale.map(|(name, &line)| {
        Finding::new(DOCUMENT, line, format!("gives a reason for `{name}`, which the workspace does not depend on"))
    }));
    findings
}

/// Names in the first cell of each row of the section whose second cell is not empty, with their lines.
fn reasons(document: &str) -> HashMap<&str, usize> {
    let mut found = HashMap::new();
    let section = document.lines().enumerate().skip_while(|(_, line)| line.trim() != HEADING).skip(1);
    for (index, line) in section.take_while(|(_, line)| !line.starts_with("## ")) {
        let Some((names, reason)) = line.strip_prefix('|').and_then(|row| row.split_once('|')) else { continue };
        if reason.trim_matches(['|', ' ']).is_empty() {
            continue;
        }
        // Between backticks is every second piece.
        found.extend(names.split('`').skip(1).step_by(2).map(|name| (name, index + 1)));
    }
    found
}
