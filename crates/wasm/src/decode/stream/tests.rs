//! Cuts, truncations and flipped bits; limits and order.

use super::{StreamDecoder, decode, decode_and_validate};
use crate::decode::error::{DecodeError, DecodeErrorKind};
use crate::features::{Feature, Features};
use crate::limits::Limits;
use crate::samples::{KITCHEN_SINK, Random, error_of, modules, smith, wat};
use crate::types::{DefinedFuncIndex, FuncIndex};
use crate::validate::Scratch;

/// What is found when the bytes come in pieces of `step` bytes, bodies included.
fn in_pieces(bytes: &[u8], step: usize) -> Result<String, String> {
    let mut decoder = StreamDecoder::new(&Features::default(), &Limits::default());
    for end in (0..bytes.len()).step_by(step) {
        decoder.advance(&bytes[..end]);
    }
    let decoded = decoder.finish(bytes, 0).map_err(|fault| fault.to_string())?;
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
    let mut decoder = StreamDecoder::new(&Features::default(), &Limits::default());
    decoder.advance(b"\0as");
    assert!(!decoder.has_failed());
    decoder.advance(b"\0asx and much more");
    assert!(decoder.has_failed());
    let fault = decoder.finish(b"\0asx and muc", 0).expect_err("bad");
    assert_eq!(fault.offset(), 0);
    assert!(decode(&[], &Features::default(), &Limits::default()).is_err());
}

/// What is found when every body is judged as soon as it is complete, the last of each piece first.
fn judged_on_the_way(bytes: &[u8], random: &mut Random, keep_head: bool) -> Result<String, String> {
    let mut decoder = StreamDecoder::new(&Features::default(), &Limits::default());
    let (mut end, mut judged, mut valid) = (0, 0, u32::MAX);
    let mut kept = None;
    while end < bytes.len() {
        end = (end + 1 + random.below(40)).min(bytes.len());
        decoder.advance(&bytes[..end]);
        let bodies = decoder.bodies();
        for index in (judged..bodies.len()).rev() {
            let head = decoder.head().expect("the code section has begun");
            let function = DefinedFuncIndex::new(index);
            if !head.is_valid(&bytes[..end], function, bodies[index].clone(), &mut Scratch::default()) {
                valid = valid.min(function.0);
            }
        }
        judged = bodies.len();
        kept = decoder.head().filter(|_| keep_head).cloned();
    }
    let text = |fault: DecodeError| fault.to_string();
    let decoded = decoder.finish(bytes, valid.min(judged as u32)).map_err(text)?;
    drop(kept);
    if valid < u32::MAX {
        let mut scratch = Scratch::default();
        decoded.bodies.validate(&decoded.info, bytes, DefinedFuncIndex(valid), &mut scratch).map_err(text)?;
    }
    Ok(format!("{:?}", decoded.info))
}

#[test]
fn bodies_are_judged_while_the_rest_is_under_way() {
    let mut random = Random(7);
    for bytes in modules().into_iter().chain(smith(20)) {
        let expected = without_map(whole(&bytes));
        for keep_head in [false, true] {
            assert_eq!(without_map(judged_on_the_way(&bytes, &mut random, keep_head)), expected);
        }
        for _ in 0..100 {
            let mut bytes = bytes.clone();
            let at = random.below(bytes.len());
            bytes[at] ^= 1 << random.below(8);
            bytes.truncate(if random.below(3) == 0 { random.below(bytes.len()) } else { bytes.len() });
            let expected = without_map(whole(&bytes));
            assert_eq!(without_map(judged_on_the_way(&bytes, &mut random, false)), expected);
        }
    }
}

#[test]
fn a_reference_behind_the_code_declares_no_function() {
    // The body's `ref.func 0` needs a declaration; the one in the data segment's offset is not of the right type, and too
    // late. Whether the body or the data is at fault must not depend on when the body is looked at.
    let mut bytes = wat("(module (memory 1) (func) (func (drop (ref.null func))))");
    let body = bytes.windows(3).position(|w| w == [0xd0, 0x70, 0x1a]).expect("the second body");
    bytes[body..body + 2].copy_from_slice(&[0xd2, 0]);
    bytes.truncate(body + 4);
    bytes.extend_from_slice(b"\x0b\x06\x01\x00\xd2\x00\x0b\x00");
    let fault = error_of(&bytes);
    assert!(fault.starts_with("in function 1: undeclared function reference"), "{fault}");
    assert_eq!(judged_on_the_way(&bytes, &mut Random(1), false), Err(fault));
}

#[test]
fn the_order_of_slow_and_fast_checks_does_not_show() {
    // The data section is for the slow validator, as its offset is computed; so is the text of the body's fault.
    let text = "(module (memory 1) (func) (func (result i32) (i64.const 1) drop (i32.const 0)) (table 1 funcref) \
                (elem (i32.const 0) 0) (data (i32.add (i32.const 1) (i32.const 2)) \"a\"))";
    let good = wat(text);
    assert!(whole(&good).is_ok());
    let body = good.windows(3).position(|w| w == [0x42, 1, 0x1a]).expect("the second body");
    let mut bad = good.clone();
    bad[body + 2] = 0x01;
    let fault = error_of(&bad);
    assert!(fault.starts_with("in function 1: type mismatch"), "{fault}");
    assert_eq!(judged_on_the_way(&bad, &mut Random(1), false), Err(fault));
}

#[test]
fn sections_are_named_as_they_end() {
    let bytes = wat("(module (type (func)) (func) (memory 1) (data \"abc\"))");
    let mut decoder = StreamDecoder::new(&Features::default(), &Limits::default());
    let mut ids = Vec::new();
    for end in 0..=bytes.len() {
        decoder.advance(&bytes[..end]);
        for section in &decoder.sections()[ids.len()..] {
            assert_eq!(section.contents.end, end, "known as soon as it is there");
            ids.push(section.id);
        }
    }
    assert_eq!(ids, [1, 3, 5]);
    assert_eq!(decoder.bodies().len(), 1);
}

#[test]
fn what_is_too_long_has_failed() {
    let limits = Limits { module_size: 64, ..Limits::default() };
    let custom = |len: u8| [&b"\0asm\x01\0\0\0\x00"[..], &[len, 0], &vec![0; len as usize - 1][..]].concat();
    for tail in [&b"\0"[..], b"\0\x80", b"\x01\xff\xff\xff\xff\x0f"] {
        // The custom section ends at the limit.
        let mut bytes = custom(54);
        assert_eq!(bytes.len(), 64);
        assert!(decode(&bytes, &Features::default(), &limits).is_ok());
        bytes.extend_from_slice(tail);
        bytes.resize(StreamDecoder::most_bytes(&limits), 0);
        let mut decoder = StreamDecoder::new(&Features::default(), &limits);
        decoder.advance(&bytes);
        assert!(decoder.has_failed(), "{tail:?}");
    }
}
