//! Every vector operator on every machine: that it compiles, and to instructions that the machine has and that do not fault.
//! That the code computes what it should is seen where code can be run, in the tests of the workspace.

use abi::compiler::Settings;
use wasm::ops::SimdPlain;
use wasm::types::ValType;

use super::shuffle::{One, Two};
use crate::Features;
use crate::asm::x64::SseOp;
use crate::testing::{ALL, compile, listing};

const NO_AVX: Features = Features { avx: false, avx2: false, fma: false, bmi1: false, bmi2: false, lzcnt: false };
const AVX: Features = Features { avx: true, ..NO_AVX };
const FMA: Features = Features { avx2: true, fma: true, ..AVX };

/// Legacy instructions that may have an operand of memory that is not aligned to 16 bytes.
const UNALIGNED: &[&str] =
    &["movups", "movss", "movsd", "movd", "movq", "movddup", "movlps", "movhps", "insertps", "pinsr", "pextr", "pmov"];

/// Compiles the functions for all machines and settings, and looks at what they became.
fn check(functions: &str) {
    let text = format!("(module (memory 1) (memory $other 1 2) (func $nop) {functions})");
    for features in [NO_AVX, AVX, FMA] {
        for settings in [Settings::default(), Settings { canonical_nans: true, ..Settings::default() }, ALL] {
            for code in compile(&text, settings, features) {
                listing(&code).iter().for_each(|line| check_instruction(line, features));
            }
        }
    }
}

fn check_instruction(line: &str, features: Features) {
    let name = line.split(' ').next().unwrap_or_default();
    if features.avx {
        return assert!(features.fma || !name.starts_with("vf") || !name.contains("madd"), "{line} without FMA");
    }
    if line.contains("xmm") {
        assert!(!name.starts_with('v'), "{line} without AVX");
        // Constants lie in the code, aligned; their address has no register.
        let unaligned = line.contains("[r") && !line.contains("[rel");
        let allowed = UNALIGNED.iter().any(|prefix| name.starts_with(prefix));
        assert!(!unaligned || allowed, "{line} may fault");
    }
}

/// Functions that apply an operator to parameters: as they are, copied to registers of their own, in the frame, and the
/// first of them for all.
fn forms(params: &[ValType], results: &[ValType], op: &str) -> String {
    let list = |kind: &str, types: &[ValType]| types.iter().map(|ty| format!("({kind} {ty}) ")).collect::<String>();
    let head = format!("{}{}", list("param", params), list("result", results));
    let plain: String = (0..params.len()).map(|index| format!("local.get {index} ")).collect();
    let own: String = params.iter().zip(0..).map(|(&ty, index)| format!("local.get {index} {} ", own(ty))).collect();
    let mut text = format!("(func {head} {plain} {op}) (func {head} {own} {op})\n");
    text += &format!("(func {head} {own} call $nop {op}) (func {head} call $nop {plain} {op})\n");
    if params.iter().all(|&ty| ty == ValType::V128) {
        let same = "local.get 0 ".repeat(params.len());
        text += &format!("(func {head} {same} {op})\n");
    }
    text
}

/// Copies a value.
fn own(ty: ValType) -> &'static str {
    match ty {
        ValType::I32 => "i32.const 1 i32.xor",
        ValType::I64 => "i64.const 1 i64.xor",
        ValType::F32 => "f32.neg",
        ValType::F64 => "f64.neg",
        ValType::V128 | ValType::Ref(_) => "v128.not",
    }
}

#[test]
fn operators_without_immediates() {
    let functions: String = SimdPlain::ALL.iter().map(|op| forms(op.params(), op.results(), op.name())).collect();
    check(&functions);
}

#[test]
fn constants_and_lanes() {
    let mut functions = String::new();
    for halves in ["0 0", "-1 -1", "7 7", "7 0", "0 7", "7 8"] {
        functions += &forms(&[], &[ValType::V128], &format!("v128.const i64x2 {halves}"));
    }
    for (shape, lanes, scalar) in [
        ("i8x16", 16, ValType::I32),
        ("i16x8", 8, ValType::I32),
        ("i32x4", 4, ValType::I32),
        ("i64x2", 2, ValType::I64),
        ("f32x4", 4, ValType::F32),
        ("f64x2", 2, ValType::F64),
    ] {
        for lane in 0..lanes {
            let suffixes = if lanes >= 8 { ["_s", "_u"].as_slice() } else { &[""] };
            for suffix in suffixes {
                functions += &forms(&[ValType::V128], &[scalar], &format!("{shape}.extract_lane{suffix} {lane}"));
            }
            let replace = format!("{shape}.replace_lane {lane}");
            functions += &forms(&[ValType::V128, scalar], &[ValType::V128], &replace);
            functions += &forms(&[ValType::V128], &[ValType::V128], &format!("{scalar}.const 5 {replace}"));
        }
        functions += &forms(&[], &[ValType::V128], &format!("{scalar}.const 5 {shape}.splat"));
    }
    for (shape, bits) in [("i8x16", 8), ("i16x8", 16), ("i32x4", 32), ("i64x2", 64)] {
        for count in [0, 1, bits - 1, bits, bits + 1] {
            for op in ["shl", "shr_s", "shr_u"] {
                let op = format!("i32.const {count} {shape}.{op}");
                functions += &forms(&[ValType::V128], &[ValType::V128], &op);
            }
        }
    }
    check(&functions);
}

#[test]
fn memory() {
    let mut functions = String::new();
    let loads =
        ["", "8x8_s", "8x8_u", "16x4_s", "16x4_u", "32x2_s", "32x2_u", "32_zero", "64_zero", "8_splat", "16_splat"];
    for memory in ["", "$other"] {
        for offset in ["0", "3", "0x10000", "0x80000000", "0xffffffff"] {
            for load in loads.iter().chain(&["32_splat", "64_splat"]) {
                let op = format!("v128.load{load} {memory} offset={offset}");
                functions += &forms(&[ValType::I32], &[ValType::V128], &op);
                functions += &forms(&[], &[ValType::V128], &format!("i32.const 40 {op}"));
            }
            let op = format!("v128.store {memory} offset={offset}");
            functions += &forms(&[ValType::I32, ValType::V128], &[], &op);
            for (width, lanes) in [(8, 16), (16, 8), (32, 4), (64, 2)] {
                for lane in [0, lanes - 1] {
                    let op = format!("v128.load{width}_lane {memory} offset={offset} {lane}");
                    functions += &forms(&[ValType::I32, ValType::V128], &[ValType::V128], &op);
                    let op = format!("v128.store{width}_lane {memory} offset={offset} {lane}");
                    functions += &forms(&[ValType::I32, ValType::V128], &[], &op);
                }
            }
        }
    }
    check(&functions);
}

/// The instructions of a function that name vector registers, but for the move of its result.
fn vector_code(function: &str, features: Features) -> Vec<String> {
    let codes = compile(&format!("(module {function})"), Settings::default(), features);
    let lines = listing(&codes[0]).into_iter().filter(|line| line.contains("xmm"));
    lines.filter(|line| !line.starts_with("movaps xmm0,")).collect()
}

#[test]
fn one_instruction_without_copies_with_avx() {
    let add = "(func (param v128 v128) (result v128) local.get 0 local.get 1 i32x4.add)";
    assert_eq!(vector_code(add, AVX), ["vpaddd xmm2,xmm0,xmm1"]);
    assert_eq!(vector_code(add, NO_AVX), ["movaps xmm2,xmm0", "paddd xmm2,xmm1"]);
    let less = "(func (param v128 v128) (result v128) local.get 0 local.get 1 i32x4.lt_s)";
    assert_eq!(vector_code(less, AVX), ["vpcmpgtd xmm2,xmm1,xmm0"]);
    // In place where nothing else needs the operand.
    let chain = "(func (param v128) (result v128) local.get 0 local.get 0 i32x4.add local.get 0 i32x4.mul i32x4.abs)";
    assert_eq!(
        vector_code(chain, NO_AVX),
        ["movaps xmm1,xmm0", "paddd xmm1,xmm0", "pmulld xmm1,xmm0", "pabsd xmm1,xmm1"]
    );
}

#[test]
fn operators_that_need_no_code() {
    let nothing: [&str; 0] = [];
    let shift = "(func (param v128) (result v128) local.get 0 i32.const 32 i32x4.shl)";
    assert_eq!(vector_code(shift, AVX), nothing);
    let first = "(func (param v128) (result f32) local.get 0 f32x4.extract_lane 0)";
    assert_eq!(vector_code(first, AVX), nothing);
    let identity = "(func (param v128 v128) (result v128) local.get 0 local.get 1 \
        i8x16.shuffle 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15)";
    assert_eq!(vector_code(identity, AVX), nothing);
    let zeros = "(func (result v128) v128.const i64x2 0 0)";
    assert_eq!(vector_code(zeros, AVX), ["xorps xmm0,xmm0"]);
}

#[test]
fn fused_exactly_where_the_machine_can() {
    let madd = "(func (param v128 v128 v128) (result v128) \
        local.get 0 v128.not local.get 1 local.get 2 f32x4.relaxed_madd)";
    assert_eq!(vector_code(madd, FMA).last().map(String::as_str), Some("vfmadd213ps xmm3,xmm1,xmm2"));
    assert!(vector_code(madd, AVX).iter().any(|line| line.starts_with("vmulps")));
}

/// Lanes of 16 bytes from lanes of another size.
fn bytes<const COUNT: usize>(wide: [u8; COUNT]) -> [u8; 16] {
    let size = 16 / COUNT;
    std::array::from_fn(|at| wide[at / size] * size as u8 + (at % size) as u8)
}

#[test]
fn patterns_of_one_operand() {
    let imm = One::Imm;
    assert_eq!(One::of(&bytes([0, 1])), One::Identity);
    assert_eq!(One::of(&bytes([1, 0])), imm(SseOp::PSHUFD, 0b01_00_11_10));
    assert_eq!(One::of(&bytes([3, 3, 2, 1])), imm(SseOp::PSHUFD, 0b01_10_11_11));
    assert_eq!(One::of(&bytes([3, 2, 1, 0, 4, 5, 6, 7])), imm(SseOp::PSHUFLW, 0b00_01_10_11));
    assert_eq!(One::of(&bytes([0, 1, 2, 3, 4, 4, 4, 5])), imm(SseOp::PSHUFHW, 0b01_00_00_00));
    assert_eq!(One::of(&std::array::from_fn(|at| (at as u8 + 5) & 15)), One::Rotate(5));
    assert_eq!(One::of(&[0; 16]), One::Lookup);
    // Starts in the middle of a wide lane.
    assert_eq!(One::of(&[1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4]), One::Lookup);
}

#[test]
fn patterns_of_two_operands() {
    let binary = |op, swapped| Two::Binary { op, swapped };
    let imm = |op, imm, swapped| Two::BinaryImm { op, imm, swapped };
    assert_eq!(Two::of(&bytes([0, 2])), binary(SseOp::PUNPCKLQDQ, false));
    assert_eq!(Two::of(&bytes([3, 1])), binary(SseOp::PUNPCKHQDQ, true));
    assert_eq!(Two::of(&bytes([0, 4, 1, 5])), binary(SseOp::PUNPCKLDQ, false));
    assert_eq!(Two::of(&bytes([12, 4, 13, 5, 14, 6, 15, 7])), binary(SseOp::PUNPCKHWD, true));
    let interleaved = std::array::from_fn(|at| at as u8 / 2 + 16 * (at as u8 & 1));
    assert_eq!(Two::of(&interleaved), binary(SseOp::PUNPCKLBW, false));
    assert_eq!(Two::of(&bytes([3, 0, 5, 5])), imm(SseOp::SHUFPS, 0b01_01_00_11, false));
    assert_eq!(Two::of(&bytes([7, 4, 0, 1])), imm(SseOp::SHUFPS, 0b01_00_00_11, true));
    assert_eq!(Two::of(&bytes([8, 1, 2, 3, 4, 5, 6, 15])), imm(SseOp::PBLENDW, 0b1000_0001, false));
    // The upper half of what is cut out of comes first.
    assert_eq!(Two::of(&std::array::from_fn(|at| at as u8 + 3)), imm(SseOp::PALIGNR, 3, true));
    assert_eq!(Two::of(&std::array::from_fn(|at| (at as u8 + 19) & 31)), imm(SseOp::PALIGNR, 3, false));
    let dwords = Two::Dwords { first: 0b10_00_01_00, second: 0b10_00_01_00, blend: 0b00_11_11_00 };
    assert_eq!(Two::of(&bytes([0, 5, 4, 2])), dwords);
    let mut lookup = interleaved;
    lookup.swap(0, 3);
    assert_eq!(Two::of(&lookup), Two::Lookup);
}
