//! Names and URLs.

use wasm::decode::stream::{Decoded, decode};
use wasm::features::Features;
use wasm::limits::Limits;

use super::*;

fn source(bytes: &[u8]) -> ModuleSource {
    let Decoded { info, .. } = decode(bytes, &Features::default(), &Limits::default()).expect("a module");
    ModuleSource::new(ModuleNumber(1), Arc::new(info), WireBytes::from(bytes))
}

const PLAIN: &[u8] = b"\0asm\x01\0\0\0";
/// A name section with the module name `m`.
const NAMED: &[u8] = b"\0asm\x01\0\0\0\0\x09\x04name\x00\x02\x01m";

#[test]
fn the_url_follows_from_name_and_bytes() {
    let (plain, named) = (source(PLAIN), source(NAMED));
    let url = plain.url().to_string();
    let hash = url.strip_prefix("wasm://wasm/").expect("the scheme");
    assert!(hash.len() == 8 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()), "{url}");
    assert_eq!(hash, format!("{:08x}", wire_hash(PLAIN)));
    assert_eq!(**named.url(), *format!("wasm://wasm/m-{:08x}", wire_hash(NAMED)));
}

#[test]
fn functions_without_a_name_are_numbered() {
    assert_eq!(source(PLAIN).function_name(7), "wasm-function[7]");
}

/// Pinned: URLs are written down by people.
#[test]
fn the_hash_never_changes() {
    assert_ne!(wire_hash(b"a"), wire_hash(b"a\0"));
    assert_ne!(wire_hash(b"12345678a"), wire_hash(b"12345678b"));
    assert_eq!(format!("{:08x}", wire_hash(PLAIN)), "259f984f");
}
