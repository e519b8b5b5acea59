//! What is surely valid is valid for the slow validator, and the usual module needs nothing else.

use super::is_surely_valid;
use crate::decode::section::SectionKind;
use crate::decode::stream::{Decoded, decode, decode_and_validate};
use crate::features::{Feature, Features};
use crate::limits::Limits;
use crate::samples::{KITCHEN_SINK, Random, modules, smith, wat};

/// What the slow validator alone says of everything but bodies.
fn is_valid(bytes: &[u8], features: &Features) -> bool {
    let mut validator = wasmparser::Validator::new_with_features(crate::validate::convert::features(features));
    wasmparser::Parser::new(0)
        .parse_all(bytes)
        .all(|payload| payload.and_then(|payload| validator.payload(&payload).map(drop)).is_ok())
}

#[test]
fn the_sections_of_a_usual_module_are_surely_valid() {
    let bytes = wat(KITCHEN_SINK);
    let Decoded { info, .. } = decode(&bytes, &Features::default(), &Limits::default()).expect("decoded");
    for kind in [SectionKind::Export, SectionKind::Element, SectionKind::Data] {
        assert!(is_surely_valid(kind, &info, &Features::default()), "{kind:?}");
    }
    assert!(!is_surely_valid(SectionKind::Type, &info, &Features::default()));
}

#[test]
fn changed_modules_are_never_taken_alone() {
    let mut random = Random(11);
    let (mut good, mut bad) = (0, 0);
    let sample = wat(r#"(module (import "a" "g" (global i32)) (import "a" "m" (global (mut i32)))
        (table 3 funcref) (table i64 3 externref) (memory 1) (memory i64 1) (global $own i32 (i32.const 1))
        (global (mut i64) (i64.const 1)) (func) (func)
        (export "f" (func 1)) (export "t" (table 0)) (export "m" (memory 1)) (export "g" (global 0)) (export "h" (global 3))
        (elem (global.get 0) func 0 1) (elem (table 1) (i64.const 0) externref (ref.null extern)) (elem func 1)
        (elem (i32.const 0) funcref (ref.func 0) (ref.null func)) (elem declare funcref (ref.func 1))
        (data (i32.const 1) "x") (data (memory 1) (i64.const 1) "y") (data "z") (data (global.get 0) "w"))"#);
    let mut feature_sets = vec![Features::default()];
    for feature in [Feature::BulkMemory, Feature::ReferenceTypes, Feature::MutableGlobal, Feature::Memory64] {
        let mut features = Features::default();
        features.set(feature, false);
        feature_sets.push(features);
    }
    let samples = modules().into_iter().chain(smith(30)).chain(std::iter::repeat_n(sample, 40));
    for bytes in samples.filter(|bytes| bytes.len() > 8) {
        for _ in 0..150 {
            let mut bytes = bytes.clone();
            let at = 8 + random.below(bytes.len() - 8);
            match random.below(3) {
                0 => bytes[at] ^= 1 << random.below(8),
                1 => bytes[at] = random.below(8) as u8,
                _ => bytes[at] = bytes[at].wrapping_add(1),
            }
            let features = &feature_sets[random.below(feature_sets.len())];
            if decode(&bytes, features, &Limits::default()).is_ok() {
                assert!(is_valid(&bytes, features), "{bytes:02x?} with {features:?}");
                good += 1;
            } else {
                bad += 1;
            }
        }
    }
    assert!(good > 1000 && bad > 1000, "{good} {bad}");
}

#[test]
fn faults_are_worded_by_the_slow_validator() {
    let fault = |text: &str| {
        decode_and_validate(&wat(text), &Features::default(), &Limits::default(), 1).expect_err(text).to_string()
    };
    assert_eq!(
        fault(r#"(module (export "f" (func 3)))"#),
        "unknown function 3: exported function index out of bounds (at offset 0xb)"
    );
    assert!(fault("(module (table 1 funcref) (elem (i64.const 0) func))").starts_with("type mismatch"));
    assert!(fault("(module (memory 1) (data (i64.const 0)))").starts_with("type mismatch"));
    assert!(fault("(module (data (i32.const 0)))").starts_with("unknown memory 0"));
    // The sections the fast rules took are known to the slow validator when a body needs it.
    let text = r#"(module (table 1 funcref) (func $f) (func $g) (export "f" (func $f)) (elem func $g)
        (func (ref.func $f) (ref.func $g) (table.init 0 0 (i32.const 0) (i32.const 0) (i32.const 0)) drop))"#;
    let message = "type mismatch: values remaining on stack at end of block";
    assert!(fault(text).contains(message), "{}", fault(text));
}
