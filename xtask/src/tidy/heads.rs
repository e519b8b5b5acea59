//! Every source opens with what lives in it.

use super::Finding;
use super::tree::Tree;

/// Checks the first line of every Rust source.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let headless = tree.rust().filter(|file| {
        let first = file.text.lines().next().unwrap_or("");
        first.strip_prefix("//!").is_none_or(|head| head.trim().is_empty())
    });
    headless.map(|file| Finding::new(&file.path, 1, "does not open with `//!` and what lives here")).collect()
}
