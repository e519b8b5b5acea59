//! Every vector operator compiles without library calls, whatever the machine has beyond what is required.

use abi::compiler::{ModuleEnv, Request, Settings};
use abi::layout::InstanceLayout;
use wasm::decode::stream::decode_and_validate;
use wasm::features::Features;
use wasm::limits::Limits;
use wasm::ops::SimdPlain;
use wasm::types::{DefinedFuncIndex, ValType};

use crate::function;
use crate::isa::Target;
use crate::testing::VERIFY;

/// Machines, by what they have beyond x86-64-v2.
const MACHINES: [&[&str]; 4] = [
    &[],
    &["has_avx"],
    &["has_avx", "has_avx2", "has_fma"],
    &["has_avx", "has_avx2", "has_fma", "has_avx512f", "has_avx512vl", "has_avx512dq", "has_avx512vbmi"],
];

/// Compiles the functions of a module for every machine, as they are and with canonical NaNs.
fn compile_everywhere(text: &str) {
    let bytes = wat::parse_str(text).expect("the test's text is right");
    let info = decode_and_validate(&bytes, &Features::SUPPORTED, &Limits::default(), 1).expect("the module is valid");
    let layout = InstanceLayout::new(&info);
    let memories = vec![abi::memory::MemoryStyle::Checked; info.memories.len()];
    for features in MACHINES {
        let target = Target::with_features(features);
        for canonical_nans in [false, true] {
            let settings = Settings { canonical_nans, ..VERIFY };
            let module = ModuleEnv { info: &info, wire_bytes: &bytes, layout: &layout, memories: &memories, settings };
            for index in 0..info.bodies.len() {
                let code = function::compile(&target, &Request::new(&module, DefinedFuncIndex::new(index)));
                code.unwrap_or_else(|error| panic!("function {index} with {features:?}: {error:?}"));
            }
        }
    }
}

fn name(ty: ValType) -> String {
    ty.to_string()
}

/// A function that applies an operator to its parameters.
fn function(op: SimdPlain) -> String {
    let params: String = op.params().iter().map(|&ty| format!("(param {}) ", name(ty))).collect();
    let results: String = op.results().iter().map(|&ty| format!("(result {}) ", name(ty))).collect();
    let operands: String = (0..op.params().len()).map(|index| format!("local.get {index} ")).collect();
    format!("(func {params}{results}{operands}{op})\n")
}

#[test]
fn operators_without_immediates() {
    let functions: String = SimdPlain::ALL.iter().map(|&op| function(op)).collect();
    compile_everywhere(&format!("(module {functions})"));
}

#[test]
fn operators_on_constants_and_splats() {
    // Simplification rewrites these before lowering sees them.
    let mut functions = String::new();
    for &op in SimdPlain::ALL.iter().filter(|op| op.params().iter().all(|&ty| ty == ValType::V128)) {
        let results: String = op.results().iter().map(|&ty| format!("(result {}) ", name(ty))).collect();
        let constants = "v128.const i32x4 0 0 0 0 ".repeat(op.params().len());
        functions += &format!("(func {results}{constants}{op})\n");
        for splat in ["i8x16", "i16x8", "i32x4"] {
            let operands = format!("local.get 0 {splat}.splat ").repeat(op.params().len());
            functions += &format!("(func (param i32) {results}{operands}{op})\n");
        }
    }
    compile_everywhere(&format!("(module {functions})"));
}

#[test]
fn lanes_and_memory() {
    let mut functions = String::new();
    for (shape, lanes, scalar, extends) in [
        ("i8x16", 16, "i32", true),
        ("i16x8", 8, "i32", true),
        ("i32x4", 4, "i32", false),
        ("i64x2", 2, "i64", false),
        ("f32x4", 4, "f32", false),
        ("f64x2", 2, "f64", false),
    ] {
        for lane in 0..lanes {
            for suffix in if extends { ["_s", "_u"].as_slice() } else { &[""] } {
                let extract = format!("{shape}.extract_lane{suffix} {lane}");
                functions += &format!("(func (param v128) (result {scalar}) local.get 0 {extract})\n");
            }
            let replace = format!("{shape}.replace_lane {lane}");
            functions += &format!("(func (param v128 {scalar}) (result v128) local.get 0 local.get 1 {replace})\n");
        }
    }
    for load in ["", "8x8_s", "8x8_u", "16x4_s", "16x4_u", "32x2_s", "32x2_u", "32_zero", "64_zero"] {
        functions += &format!("(func (param i32) (result v128) local.get 0 v128.load{load} offset=3)\n");
    }
    functions += "(func (param i32 v128) local.get 0 local.get 1 v128.store offset=3)\n";
    for (width, lanes) in [(8, 16), (16, 8), (32, 4), (64, 2)] {
        functions += &format!("(func (param i32) (result v128) local.get 0 v128.load{width}_splat)\n");
        for lane in 0..lanes {
            let operands = "local.get 0 local.get 1";
            functions += &format!("(func (param i32 v128) (result v128) {operands} v128.load{width}_lane {lane})\n");
            functions += &format!("(func (param i32 v128) {operands} v128.store{width}_lane {lane})\n");
        }
    }
    for lanes in [
        "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15",
        "31 1 2 3 4 5 6 7 8 9 10 11 12 13 14 0",
        "16 16 17 17 18 18 19 19 31 31 30 30 29 29 28 28",
        "0 16 1 17 2 18 3 19 4 20 5 21 6 22 7 23",
    ] {
        functions += &format!("(func (param v128 v128) (result v128) local.get 0 local.get 1 i8x16.shuffle {lanes})\n");
    }
    compile_everywhere(&format!("(module (memory 1) {functions})"));
}
