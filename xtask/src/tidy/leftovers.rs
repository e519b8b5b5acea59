//! Nothing half done stays in the tree.

use super::tree::Tree;
use super::{Finding, lexer};

const MACROS: &[&str] = &["todo", "unimplemented", "dbg"];

/// Checks all Rust sources.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust() {
        for (number, line) in file.code() {
            for (word, tail) in lexer::words(line) {
                if MACROS.contains(&word) && tail.starts_with('!') && !tail.starts_with("!=") {
                    findings.push(Finding::new(&file.path, number, format!("`{word}!` is left over")));
                }
            }
        }
    }
    findings
}
