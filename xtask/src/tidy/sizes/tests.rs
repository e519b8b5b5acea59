//! Tests of the limit and of its list of exceptions.

use super::super::tree::Tree;
use super::{MOST, check_with};

#[test]
fn long_files_need_a_reason() {
    let long = "x\n".repeat(MOST + 1);
    let tree = Tree::of(&[("crates/wasm/src/a.rs", long.as_str()), ("crates/wasm/src/b.rs", "x\n")]);
    assert_eq!(check_with(&tree, &[]).len(), 1);
    assert_eq!(check_with(&tree, &[("crates/wasm/src/a.rs", "a table")]), []);
}

#[test]
fn reasons_do_not_outlive_their_files() {
    let tree = Tree::of(&[("crates/wasm/src/b.rs", "x\n")]);
    assert_eq!(check_with(&tree, &[("crates/wasm/src/b.rs", "a table"), ("gone.rs", "a table")]).len(), 2);
}
