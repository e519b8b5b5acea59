//! Modules that need nothing, one proposal, and several.

use super::used;

#[test]
fn what_a_module_needs() {
    let used = |text: &str| used(&wat::parse_str(text).unwrap());
    assert!(used("(module (func (param i32) (result i32) local.get 0))").is_empty());
    assert_eq!(used("(module (memory 1) (memory 1))"), ["multi-memory"]);
    let text = "(module (memory i64 1) (func (param v128) (drop (i32.extend8_s (i32.const 1)))))";
    assert_eq!(used(text), ["simd", "sign-extension-ops", "memory64"]);
}
