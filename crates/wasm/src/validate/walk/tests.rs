//! The two validators agree: on valid bodies, on bodies that were changed, whatever is switched on.

use super::{MAX_OPERANDS, Refusal};
use crate::decode::stream::{Decoded, decode, decode_and_validate};
use crate::features::{Feature, Features};
use crate::limits::Limits;
use crate::samples::{Random, modules, smith, wat};
use crate::types::DefinedFuncIndex;
use crate::validate::{Body, Scratch};

/// How often each side was taken.
#[derive(Default, Debug)]
struct Tally {
    valid: usize,
    invalid: usize,
}

/// A decoded module whose bodies can be replaced.
struct Bench {
    module: Vec<u8>,
    decoded: Decoded,
    scratch: Scratch,
    tally: Tally,
}

impl Bench {
    fn new(bytes: &[u8], features: &Features) -> Option<Bench> {
        let decoded = decode(bytes, features, &Limits::default()).ok()?;
        Some(Bench { module: bytes.to_vec(), decoded, scratch: Scratch::default(), tally: Tally::default() })
    }

    /// Whether both validators take `bytes` as the body of a function.
    fn agree(&mut self, index: u32, bytes: &[u8]) -> bool {
        let Decoded { info, bodies } = &self.decoded;
        let body = Body { func: info.func_index(DefinedFuncIndex(index)), bytes, offset: 100 };
        let fast = bodies.fast(info, body, &mut self.scratch.stacks).expect("everything is known");
        let slow = bodies.slow(info, &self.module, body, &mut self.scratch);
        let features = bodies.features;
        assert_eq!(fast.is_ok(), slow.is_ok(), "fast {fast:?}, slow {slow:?}: {bytes:02x?} with {features:?}");
        if fast.is_ok() {
            self.tally.valid += 1;
        } else {
            self.tally.invalid += 1;
        }
        fast.is_ok()
    }
}

/// The default, and the default without each proposal.
fn feature_sets() -> Vec<Features> {
    let mut sets = vec![Features::default(), Features::MVP];
    for &feature in Feature::ALL.iter().filter(|feature| feature.supported()) {
        let mut features = Features::default();
        features.set(feature, false);
        sets.push(features);
    }
    sets
}

/// Changes a body at random: bits, bytes, operators, pieces moved and cut.
fn change(random: &mut Random, body: &[u8]) -> Vec<u8> {
    const USUAL: [u8; 48] = [
        0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x1a,
        0x1b, 0x1c, 0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x28, 0x29, 0x36, 0x37, 0x3f, 0x40, 0x41, 0x42, 0x45,
        0x6a, 0x7c, 0xa7, 0xc0, 0xd0, 0xd1, 0xd2, 0xd4, 0xd5, 0xd6, 0xfc, 0xfd,
    ];
    let mut bytes = body.to_vec();
    for _ in 0..=random.below(2) {
        if bytes.is_empty() {
            break;
        }
        let at = random.below(bytes.len());
        match random.below(8) {
            0 => bytes[at] ^= 1 << random.below(8),
            1 => bytes[at] = random.next() as u8,
            2 => bytes[at] = USUAL[random.below(USUAL.len())],
            3 => bytes[at] = bytes[at].wrapping_add(1),
            4 => bytes.insert(at, USUAL[random.below(USUAL.len())]),
            5 => drop(bytes.remove(at)),
            6 => bytes[at] = [0x7f, 0x7e, 0x7d, 0x7c, 0x7b, 0x70, 0x6f, 0x64, 0x63, 0x40][random.below(10)],
            _ => {
                let other = random.below(bytes.len());
                bytes.swap(at, other);
            }
        }
    }
    bytes
}

/// Bodies of every chapter, so that a change of one byte is often valid too.
const CHAPTERS: &str = r#"(module
    (type $void (func))
    (type $unary (func (param i32) (result i32)))
    (type $swap (func (param i32 i64) (result i64 i32)))
    (type $take (func (param (ref null $unary)) (result (ref $unary))))
    (type $unary2 (func (param i32) (result i32)))
    (memory 1) (memory i64 1) (data "x") (data "y")
    (table $f 3 funcref) (table $e 3 externref) (table $t i64 3 (ref null $unary))
    (global $g (mut i32) (i32.const 0)) (global $c i64 (i64.const 0)) (global $r (mut funcref) (ref.null func))
    (elem $es func 0 1) (elem $et (ref null $unary) (ref.null $unary)) (elem declare func $one)
    (func $nop)
    (func $one (type $unary) (local.get 0))
    (func (type $swap) (local.get 1) (local.get 0))
    (func (type $swap) (local f32 f64 v128)
        (local.get 0) (local.get 1)
        (block (type $swap) (local.set 1) (local.set 0) (local.get 1) (local.get 0)
            (br_if 0 (local.get 0)) (br_table 0 1 0 (local.get 0))))
    (func (type $swap) (loop (param) (br_if 0 (local.get 0))) (local.get 0) (local.get 1)
        (if (type $swap) (local.get 0) (then (drop) (drop) (i64.const 1) (i32.const 2)) (else (return (call 2)))))
    (func (param i32) (result i32) (if (param i32) (result i32) (local.get 0) (local.get 0) (then (i32.eqz))))
    (func (param i32 i32 funcref) (result i32)
        (block (result i32) (drop (select (result funcref) (local.get 2) (ref.null func) (local.get 0)))
            (select (local.get 0) (local.get 1) (i32.const 1)) (br 0) (unreachable) (select) (drop)))
    (func (param i32) (result i32) (unreachable) (br_table 0 0 0) (i32.add) (br_if 0))
    (func (param (ref null $unary) funcref) (result i32) (local (ref $unary))
        (block (result (ref $unary)) (br_on_non_null 0 (local.get 0)) (ref.func $one)) (local.set 2)
        (block (br_on_null 0 (local.get 1)) (drop)) (drop (ref.as_non_null (local.get 1)))
        (block (local.set 2 (local.get 2)))
        (call_ref $unary (i32.const 1) (local.get 2)))
    (func (param i32) (result i32) (return_call_ref $unary (local.get 0) (ref.func $one)))
    (func (param i32) (result i32) (return_call_indirect $f (type $unary) (local.get 0) (i32.const 0)))
    (func (param i32) (result i32) (return_call $one (local.get 0)))
    (func (param (ref $unary)) (result (ref null $unary2)) (local.get 0))
    (func (result funcref) (unreachable) (ref.as_non_null) (br_on_null 0) (drop))
    (func (result i32) (block (result funcref) (unreachable) (br_on_non_null 0) (ref.null func)) (ref.is_null))
    (func (param i32 externref) (result externref)
        (table.set $e (local.get 0) (local.get 1)) (drop (table.grow $e (local.get 1) (i32.const 1)))
        (table.fill $e (i32.const 0) (local.get 1) (table.size $e)) (table.copy $e $e (i32.const 0) (i32.const 0) (i32.const 0))
        (table.init $f $es (i32.const 0) (i32.const 0) (i32.const 0)) (elem.drop $et)
        (table.init $t $et (i64.const 0) (i32.const 0) (i32.const 0))
        (drop (table.get $t (i64.const 0))) (table.get $e (local.get 0)))
    (func (param i32 i64) (memory.init 0 (local.get 0) (local.get 0) (local.get 0)) (data.drop 1)
        (memory.copy 0 1 (local.get 0) (local.get 1) (local.get 0)) (memory.fill 1 (local.get 1) (local.get 0) (local.get 1))
        (drop (memory.grow (memory.size))) (drop (memory.grow 1 (memory.size 1)))
        (i32.store8 offset=1000 (local.get 0) (i32.load16_s 1 offset=8 align=1 (local.get 1)))
        (f64.store (local.get 0) (f64.load offset=4294967295 (local.get 0)))
        (i64.store32 1 offset=4294967296 (local.get 1) (i64.load8_u (local.get 0))))
    (func (param i64 i64 f32) (result i64) (drop (i32.trunc_sat_f32_s (local.get 2))) (drop (i64.extend8_s (local.get 0)))
        (i64.add128 (local.get 0) (local.get 1) (local.get 0) (local.get 1)) (drop)
        (drop (i64.mul_wide_u (local.get 0) (local.get 1))) (drop) (global.set $g (i32.wrap_i64 (global.get $c))) )
    (func (param i32 v128) (result v128)
        (v128.store8_lane offset=3 15 (local.get 0) (local.get 1)) (drop (v128.load64_lane 1 (local.get 0) (local.get 1)))
        (v128.store (local.get 0) (v128.load32_splat (local.get 0))) (drop (i8x16.extract_lane_u 15 (local.get 1)))
        (drop (i64x2.replace_lane 1 (local.get 1) (i64.const 1))) (drop (f32x4.relaxed_madd (local.get 1) (local.get 1) (local.get 1)))
        (drop (v128.const i64x2 1 2)) (drop (i32x4.shl (local.get 1) (local.get 0))) (drop (f64x2.splat (f64.const 1)))
        (i8x16.shuffle 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 31 (local.get 1) (v128.not (local.get 1))))
    (func (result i64) (i64.const -9223372036854775808) (drop (i32.const -2147483648)) (drop (f32.const 1)))
    (func (param i32) (global.set $r (ref.func $one)) (block (block (block (br_table 0 1 2 3 (local.get 0)))))
        (block (result f32) (f32.const 0) (br_if 0 (local.get 0))) (drop))
)"#;

#[test]
fn valid_bodies_are_taken() {
    for bytes in modules().into_iter().chain(smith(150)).chain([wat(CHAPTERS)]) {
        let mut bench = Bench::new(&bytes, &Features::default()).expect("decoded");
        for (index, range) in bench.decoded.info.bodies.clone().into_iter().enumerate() {
            assert!(bench.agree(index as u32, &bytes[range]), "function body {index}");
        }
    }
}

/// Changes every body of the samples under every set of proposals, and counts what was valid and what was not.
fn judge_changes(samples: impl Iterator<Item = Vec<u8>>, rounds: usize, seed: u64) -> (usize, usize) {
    let mut random = Random(seed);
    let (mut valid, mut invalid) = (0, 0);
    for bytes in samples {
        for features in feature_sets() {
            let Some(mut bench) = Bench::new(&bytes, &features) else { continue };
            for (index, range) in bench.decoded.info.bodies.clone().into_iter().enumerate() {
                let body = &bytes[range];
                for _ in 0..rounds.min(body.len()) {
                    let changed = change(&mut random, body);
                    bench.agree(index as u32, &changed);
                }
            }
            valid += bench.tally.valid;
            invalid += bench.tally.invalid;
        }
    }
    (valid, invalid)
}

#[test]
fn changed_bodies_are_judged_alike() {
    let samples = modules().into_iter().chain(smith(40)).chain([wat(CHAPTERS)]);
    let (valid, invalid) = judge_changes(samples, 60, 7);
    assert!(valid > 1000 && invalid > 10_000, "{valid} {invalid}");
}

#[test]
#[ignore = "takes minutes: for changes of the rules"]
fn changed_bodies_are_judged_alike_for_long() {
    for seed in 0..30 {
        let chapters = std::iter::repeat_n(wat(CHAPTERS), 20);
        let (valid, invalid) = judge_changes(smith(300).into_iter().chain(chapters), 2000, seed);
        println!("{seed}: {valid} valid, {invalid} invalid");
    }
}

/// Every pair of operators in a block of reachable and of unreachable code.
#[test]
fn short_bodies_are_judged_alike() {
    let bytes = wat(CHAPTERS);
    let mut random = Random(3);
    for features in feature_sets() {
        let Some(mut bench) = Bench::new(&bytes, &features) else { continue };
        let count = bench.decoded.info.bodies.len();
        for _ in 0..4000 {
            let mut body = vec![0];
            for _ in 0..random.below(4) {
                body.extend([[0x41, 0], [0x42, 0], [0x20, 0], [0x20, 1], [0xd0, 0x70], [0x20, 2]][random.below(6)]);
            }
            if random.below(2) == 0 {
                body.push(0x00);
            }
            for _ in 0..=random.below(4) {
                body.push((random.next() % 0xd7) as u8);
                body.extend([&[][..], &[0], &[1], &[0, 0], &[0x40]][random.below(5)]);
            }
            body.extend(std::iter::repeat_n(0x0b, 1 + random.below(2)));
            bench.agree(random.below(count) as u32, &body);
        }
    }
}

/// A module with one function of this body.
fn module_of(params: &str, body: &[u8]) -> (Vec<u8>, Vec<u8>) {
    (wat(&format!("(module (type (func)) (memory 1) (func {params}))")), body.to_vec())
}

fn judged(params: &str, body: &[u8]) -> bool {
    let (bytes, body) = module_of(params, body);
    Bench::new(&bytes, &Features::default()).expect("decoded").agree(0, &body)
}

#[test]
fn the_edges_of_a_body() {
    assert!(!judged("", &[]));
    assert!(!judged("", &[0]));
    assert!(judged("", &[0, 0x0b]));
    assert!(!judged("", &[0, 0x0b, 0x0b]));
    assert!(!judged("", &[0, 0x0b, 0x01]));
    assert!(!judged("", &[0, 0x02, 0x40, 0x0b]));
    assert!(!judged("", &[0, 0x05, 0x0b]));
    // An `if` that gives what it does not take.
    assert!(!judged("", &[0, 0x41, 0, 0x04, 0x7f, 0x41, 0, 0x0b, 0x1a, 0x0b]));
}

#[test]
fn numbers_at_their_longest() {
    // i32.const and i64.const in as many bytes as there may be, and one more.
    for (opcode, most) in [(0x41, 5), (0x42, 10)] {
        for len in 1..=most + 1 {
            let mut body = vec![0, opcode];
            body.extend(std::iter::repeat_n(0x80, len - 1));
            body.extend([0, 0x1a, 0x0b]);
            assert_eq!(judged("", &body), len <= most, "{len}");
        }
    }
    // An offset of 2^32 is out of a 32-bit memory.
    assert!(judged("", &[0, 0x41, 0, 0x28, 2, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x1a, 0x0b]));
    assert!(!judged("", &[0, 0x41, 0, 0x28, 2, 0x80, 0x80, 0x80, 0x80, 0x10, 0x1a, 0x0b]));
    // Alignment above the natural one, and behind a flag for a memory.
    assert!(!judged("", &[0, 0x41, 0, 0x28, 3, 0, 0x1a, 0x0b]));
    assert!(judged("", &[0, 0x41, 0, 0x28, 0x42, 0, 0, 0x1a, 0x0b]));
    assert!(!judged("", &[0, 0x41, 0, 0x28, 0x42, 1, 0, 0x1a, 0x0b]));
}

#[test]
fn many_locals() {
    // 3000 of one type, 2 of another; both are read, and what is behind them is not there.
    let locals = [2, 0xb8, 0x17, 0x7f, 2, 0x7e];
    let get = |index: u32| {
        let mut body = locals.to_vec();
        body.extend([0x20, (index & 0x7f) as u8 | 0x80, (index >> 7) as u8, 0x1a, 0x0b]);
        judged("", &body)
    };
    assert!(get(0) && get(1023) && get(1024) && get(2999) && get(3000) && get(3001));
    assert!(!get(3002));
    // The last local of the second type is an i64.
    let mut body = locals.to_vec();
    body.extend([0x20, 0xb9, 0x17, 0xa7, 0x21, 0xb7, 0x17, 0x0b]);
    assert!(judged("", &body));
    // 50 000 are as many as there may be.
    for (last, good) in [(0xd0, true), (0xd1, false)] {
        assert_eq!(judged("", &[1, last, 0x86, 0x03, 0x7f, 0x0b]), good);
    }
    // Without a value behind many that have one: set before it is read, in this block only.
    let unset = |tail: &[u8]| {
        let mut body = vec![2, 0xb8, 0x17, 0x7f, 1, 0x64, 0x70];
        body.extend(tail);
        judged("(param (ref func))", &body)
    };
    assert!(!unset(&[0x20, 0xb9, 0x17, 0x1a, 0x0b]));
    assert!(unset(&[0x20, 0, 0x21, 0xb9, 0x17, 0x20, 0xb9, 0x17, 0x1a, 0x0b]));
    assert!(!unset(&[0x02, 0x40, 0x20, 0, 0x21, 0xb9, 0x17, 0x0b, 0x20, 0xb9, 0x17, 0x1a, 0x0b]));
}

#[test]
fn deep_nesting_and_long_tables_are_linear() {
    const DEPTH: usize = 100_000;
    let mut body = vec![0];
    body.extend([0x02, 0x40].repeat(DEPTH));
    body.extend([0x0b].repeat(DEPTH + 1));
    assert!(judged("", &body));
    // A table that names each of its two labels 30 000 times.
    let mut body = vec![0, 0x02, 0x40, 0x41, 0, 0x0e, 0xe0, 0xd4, 0x03];
    body.extend([0, 1].repeat(30_000));
    body.extend([0, 0x0b, 0x0b]);
    assert!(judged("", &body));
    // Past the limit on targets, whatever they are.
    let mut body = vec![0, 0x41, 0, 0x0e, 0xf1, 0xff, 0x03];
    body.extend([0].repeat(65_521 + 1));
    body.push(0x0b);
    assert!(!judged("", &body));
}

#[test]
fn operands_are_bounded() {
    let results = "i32 ".repeat(1000);
    let bytes = wat(&format!("(module (func $f (result {results}) unreachable) (func))"));
    let mut bench = Bench::new(&bytes, &Features::default()).expect("decoded");
    let calls = MAX_OPERANDS / 1000 + 1;
    let mut body = vec![0];
    body.extend([0x10, 0].repeat(calls));
    let Decoded { info, bodies } = &bench.decoded;
    let whole = Body { func: info.func_index(DefinedFuncIndex(1)), bytes: &body, offset: 0 };
    let verdict = bodies.fast(info, whole, &mut bench.scratch.stacks);
    assert_eq!(verdict, Some(Err(Refusal::TooManyOperands(1 + 2 * (calls - 1)))));
}

#[test]
fn memory_of_a_huge_body_is_given_back() {
    let mut bench = Bench::new(&wat("(module (func))"), &Features::default()).expect("decoded");
    let mut body = vec![0];
    body.extend([0x02, 0x40].repeat(100_000));
    body.extend([0x0b].repeat(100_001));
    assert!(bench.agree(0, &body));
    assert_eq!((bench.scratch.stacks.frames.capacity(), bench.scratch.stacks.operands.len() < 1 << 18), (0, true));
}

#[test]
fn errors_are_worded_as_before() {
    let bytes =
        wat("(module (func $named (param i32) (result i64) (i32.add (local.get 0) (i64.const 1)) drop (i64.const 0)))");
    let fault = decode_and_validate(&bytes, &Features::default(), &Limits::default(), 1).expect_err("mixed operands");
    assert_eq!(fault.to_string(), "in function 0 (`named`): type mismatch: expected i32, found i64 (at offset 0x1d)");
}
