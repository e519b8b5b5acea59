//! Real modules, fetched through the ordinary clients by `benches/fetch.py` and kept where that keeps them.

use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// Each prints the path of its module.
const RESVG: &str = "fetch.npm(*fetch.MODULES['resvg'])";
const SQLITE: &str = "fetch.npm(*fetch.MODULES['sqlite3'])";
const QUICKJS: &str = "fetch.npm('@jitl/quickjs-wasmfile-release-sync@0.31.0', '**/*.wasm')";

/// A library that draws SVG images, 2.4 MB, by Rust.
pub fn resvg() -> Vec<u8> {
    fetch(RESVG)
}

/// A database, 0.8 MB, by Emscripten.
pub fn sqlite() -> Vec<u8> {
    fetch(SQLITE)
}

/// A JavaScript engine, 0.5 MB, by Emscripten.
pub fn quickjs() -> Vec<u8> {
    fetch(QUICKJS)
}

/// A bundler for JavaScript, 14 MB, by Go; if a benchmark has fetched it already.
pub fn esbuild_if_there() -> Option<Vec<u8>> {
    std::fs::read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../benches/.cache/modules/esbuild.wasm")).ok()
}

fn fetch(what: &str) -> Vec<u8> {
    // One at a time: they share a folder.
    static FETCHING: Mutex<()> = Mutex::new(());
    let _one = FETCHING.lock().unwrap_or_else(PoisonError::into_inner);
    let benches = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../benches");
    let script = format!("import fetch; print({what})");
    let output = Command::new("python3").args(["-c", &script]).current_dir(benches).output().expect("python3");
    assert!(output.status.success(), "{what}: {}", String::from_utf8_lossy(&output.stderr));
    let path = String::from_utf8(output.stdout).expect("a path");
    std::fs::read(path.trim()).expect("the module that was fetched")
}
