//! Sections that are there, malformed, and missing.

use crate::decode::stream::{Decoded, decode};
use crate::features::Features;
use crate::limits::Limits;

fn with_section(name: &str, contents: &[u8]) -> Vec<u8> {
    let mut bytes = b"\0asm\x01\0\0\0\0".to_vec();
    bytes.push((1 + name.len() + contents.len()) as u8);
    bytes.push(name.len() as u8);
    bytes.extend_from_slice(name.as_bytes());
    bytes.extend_from_slice(contents);
    bytes
}

#[test]
fn urls_are_read_and_malformed_ones_are_none() {
    for (name, contents, expected) in [
        ("sourceMappingURL", &b"\x05a.map"[..], (Some("a.map"), None)),
        ("external_debug_info", b"\x03x.o", (None, Some("x.o"))),
        ("sourceMappingURL", b"\x09a.map", (None, None)),
        ("sourceMappingURL", b"\x01\xff", (None, None)),
        ("sourceMappingURL", b"", (None, None)),
        ("other", b"\x05a.map", (None, None)),
    ] {
        let bytes = with_section(name, contents);
        let Decoded { info, .. } = decode(&bytes, &Features::default(), &Limits::default()).expect("a module");
        assert_eq!((info.source_map_url(&bytes), info.external_debug_info(&bytes)), expected, "{name} {contents:?}");
    }
}
