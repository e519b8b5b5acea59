//! No other engine is a part of this one: the product's crates depend on none, in tests either.

use super::imports::{Package, resolve, workspace_table};
use super::tree::Tree;
use super::{Finding, law};

/// Checks the manifests of all crates.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let workspace = workspace_table(tree);
    let mut findings = Vec::new();
    for file in tree.manifests().filter(|file| file.crate_name().is_some()) {
        // What cannot be read is the import law's to report.
        let Ok(resolved) = resolve(file, &workspace) else { continue };
        for (dependency, package) in &resolved.dependencies {
            let Package::Other(package) = package else { continue };
            if law::RIVALS.iter().any(|rival| law::in_family(package, rival)) {
                let message =
                    format!("`{package}` is another engine, or part of one; only tests/ and benches/ may use it");
                findings.push(Finding::new(&file.path, dependency.line, message));
            }
        }
    }
    findings
}
