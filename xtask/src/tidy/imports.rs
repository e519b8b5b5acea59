//! The import law: a crate depends on what the table of crates names, and on nothing else. Development dependencies are
//! free among the packages of others, but may not close a circle among our own crates.

use std::collections::HashMap;

use super::Finding;
use super::law::{self, Law};
use super::manifest::{self, Dependency, Section};
use super::tree::{File, Tree};

/// What a dependency is in the end.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Package {
    /// One of our crates, by folder.
    Own(String),
    /// Somebody else's, by package name.
    Other(String),
}

/// A manifest's dependencies, resolved through the workspace's table.
pub struct Resolved {
    /// As the manifest has them.
    pub dependencies: Vec<(Dependency, Package)>,
}

/// Reads the workspace's table: package by key.
pub fn workspace_table(tree: &Tree) -> HashMap<String, Package> {
    let entries = tree.file("Cargo.toml").and_then(|file| manifest::entries(&file.text).ok()).unwrap_or_default();
    manifest::dependencies(&entries).into_iter().map(|found| (found.key.clone(), direct(&found))).collect()
}

/// Reads and resolves a manifest.
///
/// # Errors
/// When the manifest cannot be read.
pub fn resolve(file: &File, workspace: &HashMap<String, Package>) -> Result<Resolved, Finding> {
    let entries = manifest::entries(&file.text).map_err(|error| {
        Finding::new(&file.path, error.line, format!("cannot read the manifest: {}", error.message))
    })?;
    let package = |dependency: &Dependency| match workspace.get(&dependency.key) {
        Some(package) if dependency.workspace => package.clone(),
        _ => direct(dependency),
    };
    let found = manifest::dependencies(&entries).into_iter();
    Ok(Resolved {
        dependencies: found
            .map(|dependency| {
                let package = package(&dependency);
                (dependency, package)
            })
            .collect(),
    })
}

fn direct(dependency: &Dependency) -> Package {
    let folder = dependency.path.as_deref().and_then(|path| path.trim_end_matches('/').rsplit('/').next());
    match folder {
        Some(folder) if law::of(folder).is_some() => Package::Own(folder.to_owned()),
        _ => Package::Other(dependency.package.clone().unwrap_or_else(|| dependency.key.clone())),
    }
}

/// Checks every manifest of the workspace.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let workspace = workspace_table(tree);
    let mut findings = Vec::new();
    for file in tree.manifests() {
        let resolved = match resolve(file, &workspace) {
            Ok(resolved) => resolved,
            Err(finding) => {
                findings.push(finding);
                continue;
            }
        };
        let Some(name) = file.crate_name() else { continue };
        let Some(law) = law::of(name) else {
            findings.push(Finding::new(&file.path, 1, format!("crate `{name}` is not in the table of crates")));
            continue;
        };
        let fault = |(dependency, package): &(Dependency, Package)| {
            let message = fault(law, dependency.section, package)?;
            Some(Finding::new(&file.path, dependency.line, message))
        };
        findings.extend(resolved.dependencies.iter().filter_map(fault));
    }
    findings
}

fn fault(law: &Law, section: Section, package: &Package) -> Option<String> {
    let name = law.name;
    match (package, section) {
        (Package::Own(own), Section::Dev) => {
            let circle = own != name && reaches(own, name);
            circle.then(|| format!("`{name}` may not test with `{own}`, which is built on it"))
        }
        (Package::Other(_), Section::Dev) => None,
        (Package::Own(own), _) => {
            (!law.own.contains(&own.as_str())).then(|| format!("`{name}` may not import `{own}`"))
        }
        (Package::Other(other), _) => {
            (!law.others.contains(&other.as_str())).then(|| format!("`{name}` may not depend on `{other}`"))
        }
    }
}

/// Does the law let `from` import `to`, directly or not?
fn reaches(from: &str, to: &str) -> bool {
    law::of(from).is_some_and(|law| law.own.iter().any(|&next| next == to || reaches(next, to)))
}
