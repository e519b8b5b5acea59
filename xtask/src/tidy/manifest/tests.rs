//! Tests of the TOML reader.

use super::{Malformed, Section, dependencies, entries};

const MANIFEST: &str = r#"
[package]
name = "one" # not "two"

[dependencies]
wasm.workspace = true
serde = { version = "1", features = [
    "derive", # a comment ]
    "alloc",
] }
other = { package = "real-name", path = "../other" }
plain = "1"

[dev-dependencies.tool]
workspace = true

[target.'cfg(all(target_os = "linux", target_arch = "x86_64"))'.dependencies]
libc.workspace = true
"#;

#[test]
fn a_manifest_is_read() {
    let entries = entries(MANIFEST).unwrap();
    let found = dependencies(&entries);
    let keys: Vec<_> = found.iter().map(|d| (d.key.as_str(), d.line, d.workspace)).collect();
    assert_eq!(
        keys,
        [
            ("wasm", 6, true),
            ("serde", 7, false),
            ("other", 11, false),
            ("plain", 12, false),
            ("tool", 15, true),
            ("libc", 18, true)
        ]
    );
    assert_eq!(found[2].package.as_deref(), Some("real-name"));
    assert_eq!(found[2].path.as_deref(), Some("../other"));
    assert_eq!(found[4].section, Section::Dev);
    assert_eq!(found[5].section, Section::Normal);
}

#[test]
fn arrays_of_tables_are_told_apart() {
    let entries = entries("[[one]]\na = 'x # y'\n[[one]]\na = \"z\\\"\"\n").unwrap();
    assert_eq!(entries.len(), 2);
    assert_ne!(entries[0].header, entries[1].header);
    assert_eq!(entries[0].value, "'x # y'");
}

#[test]
fn what_is_malformed_has_a_line() {
    let line = |text| entries(text).map_err(|Malformed { line, .. }| line);
    assert_eq!(line("a = 1\nnonsense\n"), Err(2));
    assert_eq!(line("[table\n"), Err(1));
    assert_eq!(line("a = [1,\n2\n"), Err(1));
    assert_eq!(line("a =\n"), Err(1));
}
