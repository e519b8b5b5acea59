//! `known_failures.toml`: the directives that fail, in which configuration, and why.
//!
//! An entry names a test (`DIRECTORY/FILE`), the lines of its directives (absent: any line of the file, at least one), the
//! configurations and the reason.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write};
use std::fs;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use toml::{Table, Value};

use super::configuration::Configuration;

const HEAD: &str = "\
# Directives of `.wast` scripts that fail, and why. A directive that fails and is not listed here fails the test, and so does
# one that is listed and passes. `UPSHIFT_BLESS=1 cargo test -p upshift-tests` rewrites the list; every reason must be a real
# one, so replace what begins with `TODO`.
#
# test: DIRECTORY/FILE.  lines: of the directives; if absent, the whole file.  config: where it fails.
";

/// A directive.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Place {
    pub(super) file: String,
    pub(super) line: usize,
}

/// The list.
#[derive(Debug, Default)]
pub(super) struct Known {
    entries: Vec<Entry>,
}

/// Directives of one file that fail for the same reason.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Entry {
    file: String,
    /// `None`: the whole file.
    lines: Option<BTreeSet<usize>>,
    configurations: BTreeSet<Configuration>,
    reason: String,
}

impl Known {
    /// Reads the list.
    ///
    /// # Panics
    /// When it cannot be read, or an entry is not as it should be.
    pub(super) fn read() -> Known {
        let text = fs::read_to_string(path()).expect("known_failures.toml");
        let known = Known::parse(&text);
        for Entry { file, reason, .. } in &known.entries {
            assert!(!reason.is_empty() && !reason.starts_with("TODO"), "{file}: a known failure needs a reason");
        }
        known
    }

    fn parse(text: &str) -> Known {
        let table: Table = text.parse().expect("known_failures.toml is TOML");
        let entries = table.get("failure").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        Known { entries: entries.iter().map(Entry::parse).collect() }
    }

    /// Is this failure in the list?
    pub(super) fn lists(&self, place: &Place, configuration: Configuration) -> bool {
        self.entries.iter().any(|entry| {
            entry.file == place.file
                && entry.configurations.contains(&configuration)
                && entry.lines.as_ref().is_none_or(|lines| lines.contains(&place.line))
        })
    }

    /// What the list has for these files that did not fail.
    pub(super) fn missing(
        &self,
        files: &[String],
        configuration: Configuration,
        failed: &BTreeSet<Place>,
    ) -> Vec<String> {
        let any_failed = |file: &str| failed.iter().any(|place| place.file == file);
        let entries = self.entries.iter();
        let entries =
            entries.filter(|entry| files.contains(&entry.file) && entry.configurations.contains(&configuration));
        let mut missing = Vec::new();
        for Entry { file, lines, .. } in entries {
            let Some(lines) = lines else {
                if !any_failed(file) {
                    missing.push(file.clone());
                }
                continue;
            };
            let places = lines.iter().map(|&line| Place { file: file.clone(), line });
            missing.extend(places.filter(|place| !failed.contains(place)).map(|place| place.to_string()));
        }
        missing
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

impl Entry {
    fn parse(value: &Value) -> Entry {
        let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_string);
        let file = text("test").expect("an entry has a test");
        let list = |key: &str| {
            let values = value.get(key)?;
            Some(values.as_array().unwrap_or_else(|| panic!("{file}: {key} is a list")).clone())
        };
        let line = |value: Value| {
            let line = value.as_integer().and_then(|line| usize::try_from(line).ok());
            line.unwrap_or_else(|| panic!("{file}: a line is a number"))
        };
        let configuration = |value: Value| {
            let configuration = value.as_str().and_then(Configuration::from_name);
            configuration.unwrap_or_else(|| panic!("{file}: unknown configuration {value}"))
        };
        Entry {
            lines: list("lines").map(|lines| lines.into_iter().map(line).collect()),
            configurations: list("config")
                .unwrap_or_else(|| panic!("{file}: an entry has a config"))
                .into_iter()
                .map(configuration)
                .collect(),
            reason: text("reason").unwrap_or_else(|| panic!("{file}: an entry has a reason")),
            file,
        }
    }
}

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("known_failures.toml")
}

/// Replaces what the list says of these files in this configuration. A reason that was there stays, and a proposed one is
/// for new entries; entries for whole files stay while anything in the file fails.
pub(super) fn bless(files: &[String], configuration: Configuration, failures: Vec<(Place, String)>) {
    // Test threads rewrite the same file.
    static WRITING: Mutex<()> = Mutex::new(());
    let _writing = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
    let old = Known::parse(&fs::read_to_string(path()).unwrap_or_default());
    let known = old.updated(files, configuration, failures);
    fs::write(path(), known.to_string()).expect("known_failures.toml can be written");
}

impl Known {
    fn updated(self, files: &[String], configuration: Configuration, failures: Vec<(Place, String)>) -> Known {
        let failing: BTreeSet<&str> = failures.iter().map(|(place, _)| place.file.as_str()).collect();
        let whole = |entry: &Entry| entry.lines.is_none() && entry.configurations.contains(&configuration);
        let whole_files: BTreeSet<String> =
            self.entries.iter().filter(|entry| whole(entry)).map(|entry| entry.file.clone()).collect();
        let mut kept: Vec<Entry> = Vec::new();
        // Every single directive: its configurations, each with the reason.
        let mut places: BTreeMap<(Place, Configuration), String> = BTreeMap::new();
        let mut reasons: BTreeMap<Place, String> = BTreeMap::new();
        for entry in self.entries {
            let Some(lines) = &entry.lines else {
                if !files.contains(&entry.file) || failing.contains(entry.file.as_str()) {
                    kept.push(entry);
                }
                continue;
            };
            for &line in lines {
                let place = Place { file: entry.file.clone(), line };
                reasons.insert(place.clone(), entry.reason.clone());
                for &other in &entry.configurations {
                    if other != configuration || !files.contains(&entry.file) {
                        places.insert((place.clone(), other), entry.reason.clone());
                    }
                }
            }
        }
        for (place, proposed) in failures {
            if !whole_files.contains(&place.file) {
                let reason = reasons.get(&place).cloned().unwrap_or(proposed);
                places.insert((place, configuration), reason);
            }
        }
        kept.extend(group(places));
        kept.sort_by(|a, b| (&a.file, &a.lines, &a.reason).cmp(&(&b.file, &b.lines, &b.reason)));
        Known { entries: kept }
    }
}

/// Entries as few as possible.
fn group(places: BTreeMap<(Place, Configuration), String>) -> Vec<Entry> {
    let mut by_place: BTreeMap<(Place, String), BTreeSet<Configuration>> = BTreeMap::new();
    for ((place, configuration), reason) in places {
        by_place.entry((place, reason)).or_default().insert(configuration);
    }
    let mut by_reason: BTreeMap<(String, String, BTreeSet<Configuration>), BTreeSet<usize>> = BTreeMap::new();
    for ((place, reason), configurations) in by_place {
        by_reason.entry((place.file, reason, configurations)).or_default().insert(place.line);
    }
    let entry = |((file, reason, configurations), lines)| Entry { file, lines: Some(lines), configurations, reason };
    by_reason.into_iter().map(entry).collect()
}

impl fmt::Display for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HEAD)?;
        for Entry { file, lines, configurations, reason } in &self.entries {
            write!(f, "\n[[failure]]\ntest = {file:?}\n")?;
            if let Some(lines) = lines {
                f.write_str(&lines_of_toml(lines))?;
            }
            let names: Vec<&str> = configurations.iter().map(|configuration| configuration.name()).collect();
            writeln!(f, "config = {names:?}")?;
            writeln!(f, "reason = {}", Value::String(reason.clone()))?;
        }
        Ok(())
    }
}

/// The numbers, wrapped at about 120 columns.
fn lines_of_toml(lines: &BTreeSet<usize>) -> String {
    let numbers: Vec<String> = lines.iter().map(usize::to_string).collect();
    let one_line = format!("lines = [{}]\n", numbers.join(", "));
    if one_line.len() <= 120 {
        return one_line;
    }
    let mut text = String::from("lines = [");
    for row in numbers.chunks(18) {
        let _ = write!(text, "\n    {},", row.join(", "));
    }
    text.push_str("\n]\n");
    text
}

#[cfg(test)]
mod tests;
