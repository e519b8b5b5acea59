//! Every unsafe block and unsafe impl says why it is sound. Clippy asks for the same where it looks; this looks
//! everywhere, bodies of macros and code that is configured out included.

use super::tree::Tree;
use super::{Finding, lexer};

/// How far above the keyword the comment may start, in lines: statements and comments may take several.
const REACH: usize = 12;

/// Checks all Rust sources.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust() {
        let mut comments: Option<Vec<&str>> = None;
        for (number, line) in file.code() {
            let wanting = lexer::words(line).any(|(word, tail)| word == "unsafe" && needs_reason(tail));
            if !wanting {
                continue;
            }
            let comments = comments.get_or_insert_with(|| file.comments().collect());
            let above = &comments[number.saturating_sub(REACH)..number.min(comments.len())];
            if !above.iter().any(|comment| comment.contains("SAFETY:")) {
                findings.push(Finding::new(&file.path, number, "unsafe without a `// SAFETY:` comment above it"));
            }
        }
    }
    findings
}

/// Blocks and impls need one; functions and traits state a contract in their documentation instead.
fn needs_reason(tail: &str) -> bool {
    let tail = tail.trim_start();
    tail.is_empty() || tail.starts_with('{') || tail.starts_with("impl")
}
