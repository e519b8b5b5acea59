//! Sections whose form is wrong, and segments of every kind.

use crate::module::{ElementItems, ElementMode};
use crate::samples::{error_of, module};

/// A module of one section with these contents.
fn with_section(id: u8, contents: &[u8]) -> Vec<u8> {
    let mut bytes = b"\0asm\x01\0\0\0".to_vec();
    bytes.extend_from_slice(&[id, contents.len() as u8]);
    bytes.extend_from_slice(contents);
    bytes
}

#[test]
fn malformed_sections() {
    let check = |id, contents: &[u8], expected: &str| {
        assert_eq!(error_of(&with_section(id, contents)), expected);
    };
    check(1, b"\x01\x40", "malformed type form 0x40 (at offset 0xb)");
    check(1, b"\x01\x60\x01\x40\x00", "malformed value type 0x40 (at offset 0xd)");
    check(1, b"\x00\x00", "section size mismatch: unexpected data at the end of the section (at offset 0xb)");
    check(1, b"\x02\x60\x00\x00", "unexpected end of bytes (at offset 0xe)");
    check(2, b"\x01\x00\x00\x05", "malformed import kind (at offset 0xd)");
    check(2, b"\x01\x01\xff\x00", "malformed UTF-8 encoding in import module name (at offset 0xc)");
    check(4, b"\x01\x70\x10\x00", "malformed table limits flags (at offset 0xc)");
    check(5, b"\x01\x10\x00", "malformed memory limits flags (at offset 0xb)");
    check(6, b"\x01\x7f\x05\x41\x00\x0b", "malformed mutability (at offset 0xc)");
    check(6, b"\x01\x7f\x00\x41\x00\x01\x0b", "constant expression required: `nop` is not constant (at offset 0xf)");
    check(6, b"\x01\x7f\x00\x41\x00", "unexpected end of a constant expression (at offset 0xf)");
    check(7, b"\x01\x01a\x05\x00", "malformed export kind (at offset 0xd)");
    check(9, b"\x01\x08", "malformed element segment flags (at offset 0xb)");
    check(11, b"\x01\x03", "malformed data segment flags (at offset 0xb)");
}

#[test]
fn a_false_count_reserves_little() {
    // A million imports, exports and segments in five bytes.
    for id in [1, 2, 3, 6, 7, 9, 11] {
        error_of(&with_section(id, b"\xa0\x8d\x06"));
    }
}

#[test]
fn element_segments_of_every_form() {
    let info = module(
        r#"(module
          (table 9 funcref) (table $u 9 funcref) (func $f)
          (elem (i32.const 0) func $f $f)
          (elem func $f)
          (elem (table $u) (i32.const 1) func $f)
          (elem declare func $f)
          (elem (i32.const 0) funcref (ref.null func) (ref.func $f))
          (elem funcref (ref.func $f))
          (elem (table $u) (i32.const 1) funcref (ref.func $f))
          (elem declare funcref (ref.func $f)))"#,
    );
    let shape = |index: usize| {
        let segment = &info.elements[index];
        let mode = match &segment.mode {
            ElementMode::Passive => "passive".to_string(),
            ElementMode::Declared => "declared".to_string(),
            ElementMode::Active { table, offset } => format!("{}+{:?}", table.0, offset.as_offset()),
        };
        let functions = matches!(segment.items, ElementItems::Functions(_));
        format!("{mode} {} {functions} {}", segment.ty, segment.items.len())
    };
    let expected = [
        "0+Some(0) (ref func) true 2",
        "passive (ref func) true 1",
        "1+Some(1) (ref func) true 1",
        "declared (ref func) true 1",
        "0+Some(0) funcref false 2",
        "passive funcref false 1",
        "1+Some(1) funcref false 1",
        "declared funcref false 1",
    ];
    for (index, expected) in expected.iter().enumerate() {
        assert_eq!(shape(index), *expected);
    }
}
