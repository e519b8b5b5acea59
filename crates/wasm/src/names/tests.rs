//! Name sections, whole and broken.

use super::Names;
use crate::types::{FuncIndex, LocalIndex};

#[test]
fn whole() {
    let bytes = b"\x00\x02\x01m\x01\x07\x02\x00\x01a\x05\x01b\x02\x06\x01\x05\x01\x01\x01x\x63\x01?";
    let names = Names::decode(bytes);
    assert_eq!(names.module(), Some("m"));
    assert_eq!(names.function(FuncIndex(0)), Some("a"));
    assert_eq!(names.function(FuncIndex(5)), Some("b"));
    assert_eq!(names.function(FuncIndex(1)), None);
    assert_eq!(names.local(FuncIndex(5), LocalIndex(1)), Some("x"));
    assert_eq!(names.local(FuncIndex(5), LocalIndex(0)), None);
}

#[test]
fn what_is_before_a_fault_stays() {
    // The second name has more bytes than there are.
    let names = Names::decode(b"\x01\x07\x02\x00\x01a\x05\x7fb\x00\x02\x01m");
    assert_eq!(names.function(FuncIndex(0)), Some("a"));
    assert_eq!(names.function(FuncIndex(5)), None);
    assert_eq!(names.module(), Some("m"));
}

#[test]
fn the_first_name_of_an_index_wins() {
    let names = Names::decode(b"\x01\x0a\x03\x07\x01b\x01\x01a\x07\x01c");
    assert_eq!(names.function(FuncIndex(7)), Some("b"));
    assert_eq!(names.function(FuncIndex(1)), Some("a"));
}

#[test]
fn nonsense_is_no_names() {
    for bytes in [&b""[..], b"\x01", b"\x01\xff\xff\xff\xff\x0f", b"\x00\x02\x01\xff"] {
        assert_eq!(Names::decode(bytes).function(FuncIndex(0)), None);
        assert_eq!(Names::decode(bytes).module(), None);
    }
}
