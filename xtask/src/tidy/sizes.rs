//! Files stay small enough to be read in one go; the ones that may not be are listed with the reason.

use super::Finding;
use super::tree::Tree;

/// Lines past which a file needs a reason.
const MOST: usize = 700;

/// Files that may be longer, and why. An entry that is not needed any more is a finding too.
const LONGER: &[(&str, &str)] = &[];

/// Checks all Rust sources.
pub fn check(tree: &Tree) -> Vec<Finding> {
    check_with(tree, LONGER)
}

fn check_with(tree: &Tree, longer: &[(&str, &str)]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust() {
        let lines = file.text.lines().count();
        let reason = longer.iter().find(|(path, _)| *path == file.path);
        match reason {
            None if lines > MOST => {
                let message = format!("{lines} lines; split it, or give a reason in xtask/src/tidy/sizes.rs");
                findings.push(Finding::new(&file.path, MOST + 1, message));
            }
            Some(_) if lines <= MOST => {
                findings.push(Finding::new(&file.path, 1, "is listed as too long in tidy, but is not"));
            }
            _ => {}
        }
    }
    let gone = longer.iter().filter(|(path, _)| tree.file(path).is_none());
    findings.extend(gone.map(|(path, _)| Finding::new(path, 1, "is listed as too long in tidy, but is gone")));
    findings
}

#[cfg(test)]
mod tests;
