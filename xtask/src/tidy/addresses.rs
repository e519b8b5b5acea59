//! No text of the project knows the machine it was written on, or where packages came from.

use super::Finding;
use super::tree::Tree;

/// Homes of people and scratch folders. Written in two parts, so that this file keeps its own law.
const PLACES: &[&str] = &[concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/Us", "ers/"), concat!("/tm", "p/")];

/// Package registries: packages are named, and their managers know where to find them.
const REGISTRIES: &[&str] = &[
    concat!("crates", ".io"),
    concat!("npmjs", ".org"),
    concat!("npmjs", ".com"),
    concat!("pypi", ".org"),
    concat!("python", "hosted.org"),
    concat!("proxy.golang", ".org"),
];

/// Files that tools write, by name.
const GENERATED: &[&str] = &["Cargo.lock"];

/// Checks every text file.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let here = checkout(tree);
    let mut findings = Vec::new();
    for file in tree.files().iter().filter(|file| !GENERATED.contains(&file.name())) {
        for (number, line) in file.lines() {
            let place = PLACES.iter().copied().chain(here.as_deref()).find(|&place| is_at(line, place));
            if let Some(place) = place {
                findings.push(Finding::new(&file.path, number, format!("`{place}` is a place on one machine only")));
            }
            if let Some(registry) = REGISTRIES.iter().find(|&&registry| line.contains(registry)) {
                findings.push(Finding::new(&file.path, number, format!("`{registry}` is a registry's address")));
            }
        }
    }
    findings
}

/// Where this checkout lies. The folder around it is left alone: its name may well be a guest's folder in a test.
fn checkout(tree: &Tree) -> Option<String> {
    let root = tree.root().to_str()?;
    (root.len() > 1).then(|| format!("{root}/"))
}

/// Does an absolute path in this line start with `place`?
fn is_at(line: &str, place: &str) -> bool {
    line.match_indices(place).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        // `$HERE/tmp/` and `a/home/` are no absolute paths.
        before.is_none_or(|before| !(before.is_alphanumeric() || "_-./}*$".contains(before)))
    })
}
