//! Modules that several tests share.

use crate::decode::stream::{Decoded, decode, decode_and_validate};
use crate::features::Features;
use crate::limits::Limits;
use crate::module::ModuleInfo;

/// Something of every section and of many operators.
pub(crate) const KITCHEN_SINK: &str = r#"
(module $sink
  (type $unary (func (param i32) (result i32)))
  (type $pair (func (result i32 i64)))
  (import "env" "f" (func $imported (type $unary)))
  (import "env" "g" (global $base i32))
  (import "env" "t" (table $tin 1 10 funcref))
  (import "env" "m" (memory $min 1 2))
  (table $t 3 externref)
  (table $u i64 4 8 funcref)
  (memory $big i64 1 4)
  (global $count (mut i64) (i64.const -7))
  (global $sum i32 (i32.add (global.get $base) (i32.const 5)))
  (global $vector v128 (v128.const i32x4 1 2 3 4))
  (global $ref funcref (ref.func $first))
  (export "first" (func $first))
  (export "memory" (memory $min))
  (export "count" (global $count))
  (start $begin)
  (elem $passive func $first $imported)
  (elem (table $tin) (global.get $base) func $second)
  (elem $expressions funcref (ref.func $second) (ref.null func))
  (elem declare func $declared)
  (data $bytes "passive")
  (data (memory $min) (i32.const 16) "active")
  (func $first (type $unary)
    (local $a i64) (local $b f32) (local $c i64)
    (block $out
      (loop $again
        (br_table $again $out 1 (local.get 0))))
    (local.get 0)
    (if (type $unary) (local.get 0) (then) (else (drop) (i32.const -129)))
    (call $imported)
    (call_indirect (type $unary) (i32.const 0)))
  (func $second (result i32 i64)
    (i32.load16_s offset=70000 align=1 (i32.const 3))
    (i64.load $big offset=0x1_0000_0000 (i64.const 3)))
  (func $begin
    (drop (f32.const nan:0x200000)) (drop (f64.const -0x1.8p3))
    (drop (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23
      (v128.const i64x2 1 2) (v128.load8_lane 3 (i32.const 0) (v128.const i64x2 1 2))))
    (memory.copy $min $big (i32.const 0) (i64.const 0) (i32.const 0))
    (memory.init $bytes (i32.const 0) (i32.const 0) (i32.const 0))
    (data.drop $bytes) (elem.drop $passive)
    (table.copy $tin $u (i32.const 0) (i64.const 0) (i32.const 0))
    (drop (select (result funcref) (ref.func $declared) (ref.null func) (i32.const 1))))
  (func $declared (param i64 i64) (result i64 i64)
    (return_call $wide (local.get 0) (local.get 1)))
  (func $wide (param i64 i64) (result i64 i64)
    (i64.mul_wide_u (local.get 0) (local.get 1)))
)"#;

/// Several small modules, each with something the others lack.
pub(crate) fn modules() -> Vec<Vec<u8>> {
    [
        "(module)",
        KITCHEN_SINK,
        r#"(module (func (export "f") (param i32 i32) (result i32)
            (i32.div_s (local.get 0) (local.get 1))))"#,
        r#"(module (memory 1) (data (i32.const 0) "hello") (func (unreachable)))"#,
        r#"(module (type (func (param (ref 0)))) (type $f (func (result (ref null 0))))
            (func (type $f) (ref.null 0)) (table 1 (ref null 0) (ref.null 0)))"#,
    ]
    .iter()
    .map(|text| wat(text))
    .collect()
}

/// Text to bytes.
pub(crate) fn wat(text: &str) -> Vec<u8> {
    wat::parse_str(text).expect("the text of a test is well formed")
}

/// The module of a text, validated.
pub(crate) fn module(text: &str) -> ModuleInfo {
    decode_and_validate(&wat(text), &Features::default(), &Limits::default(), 1).expect("the module of a test is valid")
}

/// The error of bytes that are wrong, bodies included.
pub(crate) fn error_of(bytes: &[u8]) -> String {
    match decode_and_validate(bytes, &Features::default(), &Limits::default(), 1) {
        Ok(_) => panic!("the module should be refused"),
        Err(fault) => fault.to_string(),
    }
}

/// Decodes with the defaults.
pub(crate) fn decode_default(bytes: &[u8]) -> Result<Decoded, crate::decode::error::DecodeError> {
    decode(bytes, &Features::default(), &Limits::default())
}

/// A random sequence that is the same every time.
pub(crate) struct Random(pub u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        // Splitmix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    pub(crate) fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.next() as u8).collect()
    }
}

/// Valid modules of the fuzzer's making, of supported proposals only.
pub(crate) fn smith(count: usize) -> Vec<Vec<u8>> {
    let mut random = Random(42);
    let mut modules = Vec::new();
    while modules.len() < count {
        let bytes = random.bytes(4096);
        let config = wasm_smith::Config {
            exceptions_enabled: false,
            gc_enabled: false,
            compact_imports_enabled: false,
            threads_enabled: false,
            custom_page_sizes_enabled: true,
            max_memories: 3,
            max_tables: 3,
            min_funcs: 2,
            ..wasm_smith::Config::default()
        };
        let mut input = arbitrary::Unstructured::new(&bytes);
        if let Ok(module) = wasm_smith::Module::new(config, &mut input) {
            modules.push(module.to_bytes());
        }
    }
    modules
}
