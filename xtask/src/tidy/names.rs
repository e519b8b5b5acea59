//! No rooms without a purpose: a file or folder is named for one noun or verb.

use super::Finding;
use super::tree::Tree;

const NAMELESS: &[&str] = &["utils", "util", "common", "misc", "helpers", "stuff"];

/// Checks the paths of all Rust sources.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust() {
        let stems = file.path.split('/').map(|part| part.strip_suffix(".rs").unwrap_or(part));
        for stem in stems.filter(|stem| NAMELESS.contains(stem)) {
            findings.push(Finding::new(&file.path, 1, format!("`{stem}` says nothing of what lives here")));
        }
    }
    findings
}
