//! Every check, on a tree that keeps its law and on trees that break it.

use super::tree::Tree;
use super::{
    Check, addresses, foreign, heads, imports, known_failures, leftovers, links, names, platform, reasons, rivals,
    safety, unsafety,
};

const WORKSPACE: &str = r#"
[workspace.dependencies]
wasm = { package = "upshift-wasm", path = "crates/wasm" }
abi = { package = "upshift-abi", path = "crates/abi" }
runtime = { package = "upshift-runtime", path = "crates/runtime" }
wasmparser = "1"
parser = { package = "wasmparser", version = "1" }
wasmtime-environ = "1"
wat = "1"
"#;

/// What a check finds, as `path:line`.
fn findings(check: Check, files: &[(&str, &str)]) -> Vec<String> {
    let found = check(&Tree::of(files)).into_iter();
    found.map(|finding| format!("{}:{}", finding.path, finding.line)).collect()
}

/// What a check finds in a crate's manifest with these lines.
fn in_manifest(check: Check, name: &str, lines: &str) -> Vec<String> {
    let path = format!("crates/{name}/Cargo.toml");
    let found = findings(check, &[("Cargo.toml", WORKSPACE), (&path, lines)]);
    found.into_iter().map(|finding| finding.replace(&path, "")).collect()
}

const NOTHING: [&str; 0] = [];

#[test]
fn imports_follow_the_table() {
    let check = |name, lines| in_manifest(imports::check, name, lines);
    assert_eq!(check("abi", "[dependencies]\nwasm.workspace = true\n"), NOTHING);
    assert_eq!(check("abi", "[dependencies]\nruntime.workspace = true\n"), [":2"]);
    assert_eq!(check("abi", "[dependencies]\nruntime = { path = \"../runtime\" }\n"), [":2"]);
    assert_eq!(check("abi", "[dependencies]\nwasm.workspace = true\nwat = \"1\"\n"), [":3"]);
    assert_eq!(check("abi", "[build-dependencies]\nwat.workspace = true\n"), [":2"]);
    assert_eq!(check("abi", "[target.'cfg(unix)'.dependencies.wat]\nworkspace = true\n"), [":2"]);
    assert_eq!(check("novel", "[dependencies]\n"), [":1"]);
    assert_eq!(check("abi", "[dependencies]\nwhat\n"), [":2"]);
}

#[test]
fn tests_may_import_more_but_no_circle() {
    let check = |name, lines| in_manifest(imports::check, name, lines);
    assert_eq!(check("abi", "[dev-dependencies]\nwat.workspace = true\n"), NOTHING);
    assert_eq!(check("runtime", "[dev-dependencies]\nabi.workspace = true\n"), NOTHING);
    assert_eq!(check("abi", "[dev-dependencies]\nruntime.workspace = true\n"), [":2"]);
}

#[test]
fn rivals_stay_outside() {
    let check = |lines| in_manifest(rivals::check, "abi", lines);
    assert_eq!(check("[dependencies]\nwat = \"1\"\nwinchester = \"1\"\n"), NOTHING);
    assert_eq!(check("[dev-dependencies]\nwasmtime-environ.workspace = true\n"), [":2"]);
    assert_eq!(check("[dependencies]\nit = { package = \"wasmtime\", version = \"1\" }\n"), [":2"]);
    let outside = [("tests/Cargo.toml", "[dependencies]\nwasmtime = \"1\"\n")];
    assert_eq!(findings(rivals::check, &outside), NOTHING);
}

#[test]
fn packages_with_one_home_are_named_there() {
    let check = |name, lines| in_manifest(foreign::check, name, lines);
    assert_eq!(check("wasm", "[dependencies]\nwasmparser.workspace = true\n"), NOTHING);
    assert_eq!(check("abi", "[dev-dependencies]\nparser.workspace = true\n"), [":2"]);
    let sources = [
        ("crates/optimizing/src/lib.rs", "use cranelift_codegen::ir;\n"),
        ("crates/engine/src/lib.rs", "//! Cranelift, `cranelift_codegen`\nuse a;\nuse cranelift_codegen::ir;\n"),
        ("tests/lib.rs", "const A: &str = \"wasmparser\";\nfn f() -> wasmparser::Error\n"),
    ];
    assert_eq!(findings(foreign::check, &sources), ["crates/engine/src/lib.rs:3", "tests/lib.rs:2"]);
}

#[test]
fn sources_have_heads() {
    let sources = [("a.rs", "//! Good.\n"), ("b.rs", "\n//! Late.\n"), ("c.rs", "//!\n"), ("d.rs", ""), ("e.md", "x")];
    assert_eq!(findings(heads::check, &sources), ["b.rs:1", "c.rs:1", "d.rs:1"]);
}

#[test]
fn nameless_rooms_are_found() {
    let sources = [("a/utils.rs", ""), ("a/common/x.rs", ""), ("a/commons.rs", ""), ("misc/a.md", "")];
    assert_eq!(findings(names::check, &sources), ["a/utils.rs:1", "a/common/x.rs:1"]);
}

#[test]
fn promises_about_unsafe_are_kept() {
    let sources = [
        ("crates/wasm/src/lib.rs", "//! x\n#![forbid(unsafe_code)]\n"),
        ("crates/abi/src/lib.rs", "// #![forbid(unsafe_code)]\n"),
        ("crates/cli/src/main.rs", "#![deny(unsafe_code)]\n"),
        ("crates/engine/src/lib.rs", "#![deny(unsafe_code)]\n"),
        ("crates/code/src/lib.rs", ""),
    ];
    assert_eq!(findings(unsafety::check, &sources), ["crates/abi/src/lib.rs:1", "crates/cli/src/main.rs:1"]);
}

#[test]
fn unsafe_needs_a_reason() {
    let at = |source| findings(safety::check, &[("a.rs", source)]);
    assert_eq!(at("// SAFETY: so.\nlet x = unsafe { f() };\n"), NOTHING);
    assert_eq!(at("//! x\nlet x = unsafe { f() };\n"), ["a.rs:2"]);
    assert_eq!(at("let x = \"SAFETY: no\";\nunsafe impl Send for A {}\n"), ["a.rs:2"]);
    assert_eq!(at("/// # Safety\n/// Yes.\nunsafe fn f() {}\ntype F = unsafe extern \"C\" fn();\n"), NOTHING);
    assert_eq!(at("#![forbid(unsafe_code)]\n// unsafe { }\n"), NOTHING);
    let far = format!("// SAFETY: so.\n{}unsafe {{ f() }}\n", "\n".repeat(30));
    assert_eq!(at(&far), ["a.rs:32"]);
}

#[test]
fn the_machine_stays_in_its_rooms() {
    let sources = [
        ("crates/sys/src/lib.rs", "use libc::c_int; asm!(\"\")\n"),
        ("crates/abi/src/assign.rs", "#[cfg(not(target_arch = \"x86_64\"))]\n"),
        ("crates/wasi/src/lib.rs", "use rustix::fs;\n"),
        ("crates/wasi/src/clock.rs", "use libc::time;\n"),
        ("crates/runtime/src/lib.rs", "// libc\nlet asm = 1;\nasm!(\"nop\");\n#[cfg(target_os = \"linux\")]\n"),
        ("tests/lib.rs", "use libc::c_int;\n"),
    ];
    let expected = ["crates/wasi/src/clock.rs:1", "crates/runtime/src/lib.rs:3", "crates/runtime/src/lib.rs:4"];
    assert_eq!(findings(platform::check, &sources), expected);
}

#[test]
fn leftovers_are_found() {
    let source =
        "// todo!()\nlet todo = 1;\nif todo != 2 {}\ntodo!();\nlet s = \"dbg!\";\nx(dbg!(1), unimplemented!{})\n";
    assert_eq!(findings(leftovers::check, &[("a.rs", source)]), ["a.rs:4", "a.rs:6", "a.rs:6"]);
}

#[test]
fn addresses_of_one_machine_are_found() {
    let scratch = format!("dir = {}{}x\n", "/tm", "p/");
    let registry = format!("see {}{}/crates/x\n", "crates", ".io");
    let relative = format!("cd \"$HERE{}{}x\"\n", "/tm", "p/");
    let files = [
        ("a.md", scratch.as_str()),
        ("b.sh", registry.as_str()),
        ("Cargo.lock", registry.as_str()),
        ("c.sh", relative.as_str()),
        ("d.md", "cd /somewhere/checkout/crates\n"),
        ("e.md", "cd /elsewhere\n"),
    ];
    assert_eq!(findings(addresses::check, &files), ["a.md:1", "b.sh:1", "d.md:1"]);
}

#[test]
fn dependencies_have_reasons() {
    let root = "[workspace.dependencies]\nwasm = { path = \"crates/wasm\" }\nclap = \"1\"\nwat = \"1\"\n";
    let check = |text| findings(reasons::check, &[("Cargo.toml", root), ("docs/architecture.md", text)]);
    assert_eq!(check("## Dependencies\n| a | b |\n|---|---|\n| `clap`, `wat` | to parse |\n"), NOTHING);
    assert_eq!(check("## Dependencies\n| `clap` | to parse |\n| `wat` | |\n"), ["Cargo.toml:4"]);
    assert_eq!(check("| `clap`, `wat` | elsewhere |\n## Dependencies\n"), ["Cargo.toml:3", "Cargo.toml:4"]);
    let stale = "## Dependencies\n| `clap`, `wat` | x |\n| `gone` | x |\n## Next\n| `other` | x |\n";
    assert_eq!(check(stale), ["docs/architecture.md:3"]);
}

#[test]
fn known_failures_have_reasons() {
    let at = |text| findings(known_failures::check, &[("tests/known_failures.toml", text)]);
    assert_eq!(at("[[failure]]\ntest = \"a\"\nconfig = \"b\"\nreason = \"c\"\n"), NOTHING);
    assert_eq!(at("[[failure]]\ntest = \"a\"\nconfig = \"b\"\nreason = \"\"\n").len(), 1);
    assert_eq!(at("[[failure]]\ntest = \"a\"\n[[failure]]\nreason = \"c\"\n").len(), 4);
    assert_eq!(at("[[failure]]\ntest\n"), ["tests/known_failures.toml:2"]);
}

#[test]
fn pages_name_files_that_exist() {
    let page = "[a](../README.md#b) [c](#c) [d](x.md) [e](https://example.com/x)\n`crates/wasm/` `crates/{a,b}.rs`\n\
                ```\n`crates/no`\n```\n`crates/no.rs` `docs/NAME *`\n";
    let files = [("README.md", "x"), ("docs/a.md", page), ("crates/wasm/src/lib.rs", "")];
    assert_eq!(findings(links::check, &files), ["docs/a.md:1", "docs/a.md:6"]);
}
