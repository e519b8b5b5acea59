//! Pages name files that exist: targets of relative links, and paths between backticks.

use super::Finding;
use super::tree::{File, Tree};

/// Folders whose names, at the start of a word between backticks, mean this tree.
const FOLDERS: &[&str] = &["benches/", "crates/", "docs/", "examples/", "fuzz/", "tests/", "xtask/"];

/// Checks all pages.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files().iter().filter(|file| file.path.ends_with(".md")) {
        let mut fenced = false;
        for (number, line) in file.lines() {
            if line.trim_start().starts_with("```") {
                fenced = !fenced;
                continue;
            }
            if fenced {
                continue;
            }
            let paths = linked(line).filter_map(|target| relative(file, target)).chain(quoted(line));
            for path in paths.filter(|path| !exists(tree, path)) {
                findings.push(Finding::new(&file.path, number, format!("there is no `{path}`")));
            }
        }
    }
    findings
}

/// Targets of links in this line.
fn linked(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|tail| tail.split_once(')')).map(|(target, _)| target)
}

/// The path in the tree that a link in `file` leads to; none if it leads to a heading or out of the tree.
fn relative(file: &File, target: &str) -> Option<String> {
    let target = target.split('#').next().filter(|target| !target.is_empty() && !target.contains(':'))?;
    let mut parts: Vec<&str> = file.path.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "." | "" => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// Paths between backticks. A path with a placeholder, a pattern or an argument is no path.
fn quoted(line: &str) -> impl Iterator<Item = String> {
    let words = line.split('`').skip(1).step_by(2);
    let is_path = |word: &&str| {
        let plain = |character: char| character.is_ascii_alphanumeric() || "_-./".contains(character);
        FOLDERS.iter().any(|folder| word.starts_with(folder)) && word.chars().all(plain)
    };
    words.filter(is_path).map(str::to_owned)
}

/// Is there such a file, or a folder with files in it?
fn exists(tree: &Tree, path: &str) -> bool {
    let folder = format!("{}/", path.trim_end_matches('/'));
    tree.file(path).is_some() || tree.files().iter().any(|file| file.path.starts_with(&folder))
}
