//! Cuts, truncations and flipped bits; limits and order.

use super::{Decoder, decode, decode_and_validate};
use crate::decode::error::DecodeErrorKind;
use crate::features::{Feature, Features};
use crate::limits::Limits;
use crate::samples::{KITCHEN_SINK, Random, error_of, modules, smith, wat};
use crate::types::FuncIndex;

/// What is found when the bytes come in pieces of `step` bytes, bodies included.
fn in_pieces(bytes: &[u8], step: usize) -> Result<String, String> {
    let mut decoder = Decoder::new(&Features::default(), &Limits::default());
    bytes.chunks(step).for_each(|piece| decoder.push(piece));
    let (kept, decoded) = decoder.finish();
    assert_eq!(kept, bytes);
    let decoded = decoded.map_err(|fault| fault.to_string())?;
    decoded.bodies.validate_all(&decoded.info, bytes, 1).map_err(|fault| fault.to_string())?;
    Ok(format!("{:?}", decoded.info))
}

fn whole(bytes: &[u8]) -> Result<String, String> {
    decode_and_validate(bytes, &Features::default(), &Limits::default(), 2)
        .map(|info| format!("{info:?}"))
        .map_err(|fault| fault.to_string())
}

/// The debug form of a map has no order.
fn without_map(text: Result<String, String>) -> Result<String, String> {
    text.map(|text| text.split("export_map").next().unwrap_or_default().to_string())
}

#[test]
fn pieces_give_the_same() {
    for bytes in modules().into_iter().chain(smith(20)) {
        let expected = without_map(whole(&bytes));
        assert!(expected.is_ok(), "{expected:?}");
        for step in [1, 2, 3, 7, 64, 1000] {
            assert_eq!(without_map(in_pieces(&bytes, step)), expected);
        }
    }
}

#[test]
fn every_truncation_is_an_error_with_an_offset() {
    for bytes in modules().into_iter().chain(smith(10)) {
        let mut good = 0;
        for len in 0..bytes.len() {
            let cut = &bytes[..len];
            match decode_and_validate(cut, &Features::default(), &Limits::default(), 1) {
                // Between two sections a shorter module may be a whole one.
                Ok(_) => good += 1,
                Err(fault) => {
                    assert!(fault.offset() <= len, "{fault}");
                    assert_eq!(in_pieces(cut, 5), Err(fault.to_string()));
                }
            }
        }
        assert!(good <= 20, "{good} of {} are good", bytes.len());
    }
}

#[test]
fn flipped_bits_never_panic_and_fail_alike() {
    let mut random = Random(1);
    for bytes in modules().into_iter().chain(smith(20)) {
        for _ in 0..300 {
            let mut bytes = bytes.clone();
            for _ in 0..=random.below(3) {
                let at = random.below(bytes.len());
                bytes[at] ^= 1 << random.below(8);
            }
            let expected = without_map(whole(&bytes));
            let step = 1 + random.below(50);
            assert_eq!(without_map(in_pieces(&bytes, step)), expected);
        }
    }
}

#[test]
fn the_sink_is_read() {
    let bytes = wat(KITCHEN_SINK);
    let info = decode_and_validate(&bytes, &Features::default(), &Limits::default(), 1).expect("valid");
    assert_eq!(info.num_imported_functions, 1);
    assert_eq!(info.functions.len(), 6);
    assert_eq!(info.bodies.len(), 5);
    assert_eq!((info.tables.len(), info.memories.len(), info.globals.len()), (3, 2, 5));
    assert_eq!(info.elements.len(), 4);
    assert_eq!(&bytes[info.data[1].range.clone()], b"active");
    assert_eq!(info.start, Some(FuncIndex(3)));
    assert_eq!(info.escaped_functions, [0, 1, 2, 4].map(FuncIndex));
    assert_eq!(info.func_type(FuncIndex(0)).to_string(), "(i32) -> (i32)");
    assert_eq!(info.function_name(&bytes, FuncIndex(4)), Some("declared"));
    assert_eq!(info.names(&bytes).module(), Some("sink"));
    assert!(info.export("first").is_some() && info.export("second").is_none());
    let code = info.code_section.clone().expect("code");
    assert!(info.bodies.iter().all(|body| body.start > code.start && body.end <= code.end));
    let used: Vec<_> = info.used_features(&bytes).iter().map(|feature| feature.name()).collect();
    assert_eq!(
        used,
        [
            "bulk-memory-operations",
            "reference-types",
            "multi-value",
            "simd",
            "mutable-global",
            "extended-const",
            "tail-call",
            "multi-memory",
            "memory64",
            "wide-arithmetic",
        ]
    );
}

#[test]
fn heads() {
    assert_eq!(error_of(b""), "unexpected end of the module (at offset 0x0)");
    assert_eq!(error_of(b"\0as"), "unexpected end of the module (at offset 0x3)");
    assert_eq!(error_of(b"\0asn"), "magic header not detected (at offset 0x0)");
    assert_eq!(error_of(b"no"), "magic header not detected (at offset 0x0)");
    assert_eq!(error_of(b"\0asm\x02\0\0\0"), "unknown binary version 0x2 (at offset 0x4)");
    assert_eq!(error_of(b"\0asm\x01\0\0\0\x20\0"), "malformed section id: 32 (at offset 0x8)");
    assert_eq!(error_of(b"\0asm\x01\0\0\0\x03\x01\0\x01\x01\0"), "section out of order (at offset 0xb)");
    assert_eq!(error_of(b"\0asm\x01\0\0\0\x00\x01\x05"), "unexpected end of bytes (at offset 0xb)");
    let message = "function and code section have inconsistent lengths";
    assert_eq!(error_of(b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0"), format!("{message} (at offset 0x12)"));
    assert_eq!(error_of(b"\0asm\x01\0\0\0\x0a\x01\x01"), format!("{message} (at offset 0xa)"));
    let message = "data count and data section have inconsistent lengths";
    assert_eq!(error_of(b"\0asm\x01\0\0\0\x0c\x01\x01"), format!("{message} (at offset 0xb)"));
}

#[test]
fn a_body_comes_before_what_is_behind_it() {
    // Function 1 leaves nothing for its result; the section behind the code is broken.
    let mut bytes = wat("(module (func $good) (func $bad (result i32)))");
    let names = bytes.windows(4).position(|w| w == b"name").expect("a name section") - 3;
    bytes.truncate(names);
    bytes.extend_from_slice(b"\x0b\x01\x09");
    let fault = error_of(&bytes);
    assert!(fault.starts_with("in function 1: type mismatch"), "{fault}");
}

#[test]
fn the_earliest_fault_wins_on_any_number_of_threads() {
    let mut text = String::from("(module");
    for index in 0..500 {
        text.push_str(if index % 100 == 37 { "(func (i32.add))" } else { "(func (nop))" });
    }
    text.push(')');
    let bytes = wat(&text);
    let fault = |threads| {
        decode_and_validate(&bytes, &Features::default(), &Limits::default(), threads).expect_err("function 37 is bad")
    };
    let first = fault(1);
    assert_eq!(first.function(), Some(FuncIndex(37)));
    for threads in [2, 4, 9] {
        assert_eq!(fault(threads).to_string(), first.to_string());
    }
}

#[test]
fn limits_are_kept() {
    let check = |text: &str, change: fn(&mut Limits), message: &str| {
        let mut limits = Limits::default();
        change(&mut limits);
        let fault = decode_and_validate(&wat(text), &Features::default(), &limits, 1).expect_err(message);
        assert_eq!(fault.kind(), DecodeErrorKind::Limit, "{fault}");
        assert!(fault.to_string().contains(message), "{fault}");
    };
    check("(module (type (func)) (type (func)))", |l| l.types = 1, "type count of 2 exceeds limit of 1");
    check("(module (func) (func))", |l| l.functions = 1, "function count of 2");
    check("(module (func (param i32 i32)))", |l| l.params = 1, "function parameter count of 2");
    check("(module (func (result i32 i32) unreachable))", |l| l.results = 1, "function result count of 2");
    check("(module (func (param i32) (local i64 i64)))", |l| l.locals = 2, "in function 0: local count of 3");
    check("(module (func nop nop nop))", |l| l.function_size = 4, "in function 0: function body byte count of 5");
    check("(module (func (br_table 0 0 0 (i32.const 0))))", |l| l.br_table_size = 1, "br_table target count of 2");
    check("(module (memory 1) (memory 1))", |l| l.memories = 1, "memory count of 2");
    check("(module (table 1 funcref) (table 1 funcref))", |l| l.tables = 1, "table count of 2");
    check(r#"(module (func) (export "long" (func 0)))"#, |l| l.string_size = 3, "export name byte count of 4");
    check(r#"(module (import "a" "b" (func)) (import "a" "c" (func)))"#, |l| l.imports = 1, "import count of 2");
    check("(module (func))", |l| l.module_size = 12, "module size exceeds limit of 12 bytes");
    check(r#"(module (memory 1) (data "") (data ""))"#, |l| l.data_segments = 1, "data segment count of 2");
}

#[test]
fn proposals_that_are_off_are_named() {
    let refused = |text: &str, off: Option<Feature>, feature: Feature| {
        let mut features = Features::default();
        if let Some(off) = off {
            features.set(off, false);
        }
        // Asking for an unsupported proposal does not bring it.
        features.set(Feature::Gc, true);
        let fault = decode_and_validate(&wat(text), &features, &Limits::default(), 1).expect_err(text);
        assert_eq!(fault.kind(), DecodeErrorKind::Unsupported(feature), "{text}: {fault}");
        assert!(fault.to_string().contains(feature.name()), "{fault}");
    };
    refused("(module (type (struct)))", None, Feature::Gc);
    refused("(module (rec (type (func)) (type (func))))", None, Feature::Gc);
    refused("(module (global anyref (ref.null any)))", None, Feature::Gc);
    refused("(module (func (local eqref)))", None, Feature::Gc);
    refused("(module (func (drop (ref.null none))))", None, Feature::Gc);
    refused("(module (func (block (result i31ref) (unreachable)) drop))", None, Feature::Gc);
    refused("(module (func (drop (ref.i31 (i32.const 1)))))", None, Feature::Gc);
    refused("(module (memory 1 1 shared))", None, Feature::Threads);
    refused("(module (memory 1) (func (drop (i32.atomic.load (i32.const 0)))))", None, Feature::Threads);
    refused("(module (tag))", None, Feature::Exceptions);
    refused("(module (func (try_table)))", None, Feature::Exceptions);
    refused("(module (func (drop (v128.const i64x2 0 0))))", Some(Feature::Simd), Feature::Simd);
    refused("(module (memory 1) (memory 1))", Some(Feature::MultiMemory), Feature::MultiMemory);
    refused("(module (memory i64 1))", Some(Feature::Memory64), Feature::Memory64);
    refused("(module (func $f (return_call $f)))", Some(Feature::TailCall), Feature::TailCall);
}

#[test]
fn the_first_encoding_of_exceptions_is_named() {
    // `try end end` in place of `nop`s.
    let mut bytes = wat("(module (func nop nop nop nop))");
    let at = bytes.windows(4).position(|w| w == [1; 4]).expect("the operators");
    bytes[at..at + 3].copy_from_slice(&[0x06, 0x40, 0x0b]);
    let fault = error_of(&bytes);
    assert!(fault.contains("the legacy-exceptions proposal is not supported"), "{fault}");
}

#[test]
fn a_fault_is_known_early() {
    let mut decoder = Decoder::new(&Features::default(), &Limits::default());
    decoder.push(b"\0as");
    assert!(!decoder.has_failed());
    decoder.push(b"x and much more");
    assert!(decoder.has_failed());
    decoder.push(b"that is kept");
    let (bytes, decoded) = decoder.finish();
    assert_eq!(bytes, b"\0asx and much morethat is kept");
    assert_eq!(decoded.expect_err("bad").offset(), 0);
    assert!(decode(&[], &Features::default(), &Limits::default()).is_err());
}
