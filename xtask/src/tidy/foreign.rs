//! Packages with one home are named there only, so that they can be replaced there.

use super::imports::{Package, resolve, workspace_table};
use super::tree::{File, Tree};
use super::{Finding, law, lexer};

/// Checks manifests and sources of the whole workspace.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let workspace = workspace_table(tree);
    let mut findings = Vec::new();
    for file in tree.manifests() {
        let Ok(resolved) = resolve(file, &workspace) else { continue };
        for (dependency, package) in &resolved.dependencies {
            let Package::Other(package) = package else { continue };
            findings.extend(fault(file, dependency.line, package));
        }
    }
    let ours = |file: &&File| ["crates/", "tests/", "xtask/"].iter().any(|folder| file.path.starts_with(folder));
    for file in tree.rust().filter(ours) {
        for (number, line) in file.code() {
            findings.extend(lexer::words(line).filter_map(|(word, _)| fault(file, number, word)));
        }
    }
    findings
}

fn fault(file: &File, line: usize, name: &str) -> Option<Finding> {
    let (_, home) = law::ONE_HOME.iter().find(|(prefix, _)| law::in_family(name, prefix))?;
    let home_is_here = file.crate_name() == Some(home);
    (!home_is_here).then(|| Finding::new(&file.path, line, format!("only `crates/{home}` may name `{name}`")))
}
