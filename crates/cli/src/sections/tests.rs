//! Sections of modules, whole and cut.

use super::{has_start, producers, sections};
use crate::input::encode;

#[test]
fn sections_in_order() {
    let module = encode(r#"(module (@custom "note" "hello") (func $f) (func) (start $f) (memory 1))"#).unwrap();
    let found = sections(&module);
    let names: Vec<(&str, Option<u32>)> = found.iter().map(|section| (&*section.name, section.count)).collect();
    let expected = [
        ("type", Some(1)),
        ("function", Some(2)),
        ("memory", Some(1)),
        ("start", None),
        ("code", Some(2)),
        ("note", None),
        ("name", None),
    ];
    assert_eq!(names, expected);
    assert_eq!(&module[found[5].contents.clone()], b"hello");
    assert!(has_start(&module));
}

#[test]
fn cut_modules_do_no_harm() {
    let module = encode(r#"(module (@custom "note" "hello") (func $f) (memory 1))"#).unwrap();
    for end in 0..module.len() {
        sections(&module[..end]);
        producers(&module[..end]);
    }
}

#[test]
fn producers_of_a_compiler() {
    let fields = producers(b"\x01\x0cprocessed-by\x01\x05clang\x0215");
    assert_eq!(fields[0].field, "processed-by");
    assert_eq!(fields[0].values, [("clang".to_string(), "15".to_string())]);
}
