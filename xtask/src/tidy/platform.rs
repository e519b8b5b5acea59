//! What knows the machine lives in `sys`, and the calling convention's registers in `abi::assign`.

use super::tree::{File, Tree};
use super::{Finding, lexer};

/// Words that know an operating system or a processor.
const WORDS: &[&str] = &[
    "target_arch",
    "target_os",
    "target_family",
    "target_env",
    "target_vendor",
    "target_feature",
    "target_endian",
    "target_pointer_width",
    "libc",
    "rustix",
    "naked",
    "naked_asm",
    "x86_64",
    "aarch64",
];

/// Macros of inline assembly.
const MACROS: &[&str] = &["asm", "global_asm"];

/// Where a word may stand although it knows the machine, by start of the path, and why.
const ALLOWED: &[(&str, Option<&str>, &str)] = &[
    ("crates/sys/", None, "the machine's own crate"),
    ("crates/abi/src/assign.rs", None, "the calling convention is the machine's"),
    ("crates/cli/src/process.rs", Some("rustix"), "the command reports CPU time and peak memory"),
    ("crates/wasi/", Some("rustix"), "WASI is a view of a Unix system"),
];

/// Checks the sources of all crates; tests and benchmarks may know where they run.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust().filter(|file| file.crate_name().is_some()) {
        for (number, line) in file.code() {
            for (word, tail) in lexer::words(line) {
                let knows = WORDS.contains(&word) || MACROS.contains(&word) && tail.starts_with('!');
                if knows && !allowed(file, word) {
                    findings.push(Finding::new(&file.path, number, format!("`{word}` is for `crates/sys` to know")));
                }
            }
        }
    }
    findings
}

fn allowed(file: &File, word: &str) -> bool {
    ALLOWED.iter().any(|&(place, only, _)| file.path.starts_with(place) && only.is_none_or(|only| only == word))
}
