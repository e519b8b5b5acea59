//! `cargo xtask tidy`: the laws of the project as a program. Every check is a file of its own that takes the tree and
//! gives findings; none of them changes anything.

use std::fmt;
use std::process::ExitCode;
use std::time::Instant;

mod addresses;
mod foreign;
mod heads;
mod imports;
mod known_failures;
mod law;
mod leftovers;
mod lexer;
mod links;
mod manifest;
mod names;
mod platform;
mod reasons;
mod rivals;
mod safety;
mod sizes;
mod tree;
mod unsafety;

use tree::Tree;

/// Something that breaks a law, and where.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Finding {
    /// Path from the root of the tree.
    path: String,
    /// Line, from 1.
    line: usize,
    /// What is wrong, and what would be right.
    message: String,
}

impl Finding {
    fn new(path: &str, line: usize, message: impl Into<String>) -> Finding {
        Finding { path: path.to_owned(), line, message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.message)
    }
}

/// One law.
type Check = fn(&Tree) -> Vec<Finding>;

const CHECKS: &[Check] = &[
    addresses::check,
    foreign::check,
    heads::check,
    imports::check,
    known_failures::check,
    leftovers::check,
    links::check,
    names::check,
    platform::check,
    reasons::check,
    rivals::check,
    safety::check,
    sizes::check,
    unsafety::check,
];

/// Runs all checks on the tree around this program. A line a finding; fails if there is one.
pub fn run() -> ExitCode {
    let start = Instant::now();
    let tree = match Tree::of_repository() {
        Ok(tree) => tree,
        Err(error) => {
            eprintln!("tidy: {error}");
            return ExitCode::from(2);
        }
    };
    let mut findings: Vec<Finding> = CHECKS.iter().flat_map(|check| check(&tree)).collect();
    findings.sort();
    findings.dedup();
    for finding in &findings {
        println!("{finding}");
    }
    let (files, count, millis) = (tree.files().len(), findings.len(), start.elapsed().as_millis());
    eprintln!("tidy: {files} files, {count} findings, {millis} ms");
    if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[cfg(test)]
mod tests;
