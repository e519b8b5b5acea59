//! Errors that users can act on: their texts as goldens, their order, and the table that they come from.
//!
//! Goldens are written anew with `UPSHIFT_BLESS=1`.

mod compile_options;
mod imports;
mod messages;
mod names;
mod order;
mod scripts;

use std::fs;
use std::path::Path;

/// Compares a text with the golden file of this name.
#[track_caller]
fn golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("errors/golden").join(name);
    if std::env::var_os("UPSHIFT_BLESS").is_some() {
        fs::write(&path, text).expect("the golden can be written");
        return;
    }
    let golden = fs::read_to_string(&path).unwrap_or_default();
    for (number, (golden, line)) in golden.lines().zip(text.lines()).enumerate() {
        assert_eq!(line, golden, "{name}:{}", number + 1);
    }
    assert_eq!(text.lines().count(), golden.lines().count(), "lines of {name}");
}
