//! Crates keep their promises about `unsafe`, written at their root.

use super::Finding;
use super::law::{CRATES, Unsafety};
use super::tree::Tree;

/// Checks the root file of every crate in the table.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for law in CRATES {
        let roots = ["lib.rs", "main.rs"].map(|root| format!("crates/{}/src/{root}", law.name));
        for file in roots.iter().filter_map(|path| tree.file(path)) {
            let has = |level: &str| file.code().any(|(_, line)| line.contains(&format!("#![{level}(unsafe_code)]")));
            let (kept, wanted) = match law.unsafety {
                Unsafety::Forbid => (has("forbid"), "forbid"),
                Unsafety::Deny => (has("deny") || has("forbid"), "deny"),
                Unsafety::Home => continue,
            };
            if !kept {
                findings.push(Finding::new(&file.path, 1, format!("`#![{wanted}(unsafe_code)]` is missing")));
            }
        }
    }
    findings
}
