//! Chapter by chapter: operators compile, verified and without linking, and trap for the right reasons only.

use abi::compiler::Settings;
use abi::trap::TrapReason::{self, *};

use crate::testing::{ALL, VERIFY, compile_one, compile_text, reasons};

const SPECTRE: Settings = Settings { spectre_guards: true, ..VERIFY };

/// The reasons for which the last function of a module traps, which do not depend on spectre guards.
fn traps(text: &str) -> Vec<TrapReason> {
    let plain = reasons(&compile_one(text, VERIFY));
    assert_eq!(plain, reasons(&compile_one(text, SPECTRE)), "{text}");
    compile_text(text, ALL);
    plain
}

#[test]
fn numeric_traps() {
    let op = |params: &str, result: &str, op: &str| {
        let gets: String = (0..params.split_whitespace().count()).map(|index| format!("local.get {index} ")).collect();
        traps(&format!("(module (func (param {params}) (result {result}) {gets} {op}))"))
    };
    for ty in ["i32", "i64"] {
        assert_eq!(op(&format!("{ty} {ty}"), ty, &format!("{ty}.div_s")), [IntegerOverflow, IntegerDivideByZero]);
        for name in ["div_u", "rem_s", "rem_u"] {
            assert_eq!(op(&format!("{ty} {ty}"), ty, &format!("{ty}.{name}")), [IntegerDivideByZero]);
        }
        for from in ["f32", "f64"] {
            for sign in ["s", "u"] {
                let found = op(from, ty, &format!("{ty}.trunc_{from}_{sign}"));
                assert_eq!(found, [IntegerOverflow, InvalidConversionToInteger]);
                assert_eq!(op(from, ty, &format!("{ty}.trunc_sat_{from}_{sign}")), []);
            }
        }
    }
    for float in ["f32", "f64"] {
        for name in ["ceil", "floor", "trunc", "nearest", "sqrt"] {
            assert_eq!(op(float, float, &format!("{float}.{name}")), []);
        }
    }
    assert_eq!(op("i64 i64 i64 i64", "i64 i64", "i64.add128"), []);
    assert_eq!(op("i64 i64", "i64 i64", "i64.mul_wide_s"), []);
}

#[test]
fn memory_traps() {
    let memories =
        ["1", "1 1", "1 60000", "0", "i64 1", "i64 1 4", "0 (pagesize 1)", "7 7 (pagesize 1)", "65536", "65536 65536"];
    for memory in memories {
        let index = if memory.starts_with("i64") { "i64" } else { "i32" };
        for offset in ["0", "7", "33554431", "33554432", "4294967295"] {
            let text = format!(
                "(module (memory {memory}) (func (param {index}) (result i64) local.get 0 i64.load offset={offset}))"
            );
            assert_eq!(traps(&text), [MemoryOutOfBounds], "{text}");
        }
    }
    let huge = "(module (memory i64 1) (func (param i64) local.get 0 i32.const 1 i32.store offset=0xffffffffffffffff))";
    assert_eq!(traps(huge), [MemoryOutOfBounds]);
    let bulk = "(module (memory 1) (memory i64 1) (data $d \"x\")
        (func (param i32 i64) (result i64)
          (memory.fill 0 (local.get 0) (i32.const 1) (local.get 0))
          (memory.copy 1 0 (local.get 1) (local.get 0) (local.get 0))
          (memory.init 1 $d (local.get 1) (i32.const 0) (i32.const 1))
          (data.drop $d)
          (drop (memory.grow 0 (memory.size 0)))
          (memory.grow 1 (memory.size 1))))";
    assert_eq!(traps(bulk), []);
}

#[test]
fn call_traps() {
    let indirect = "(module (type $t (func)) (table 1 funcref)
        (func (param i32) (call_indirect (type $t) (local.get 0))))";
    assert_eq!(traps(indirect), [UndefinedElement, UninitializedElement, IndirectCallTypeMismatch]);
    let typed = "(module (type $t (func)) (table 1 (ref null $t))
        (func (param i32) (call_indirect (type $t) (local.get 0))))";
    assert_eq!(traps(typed), [UndefinedElement, UninitializedElement]);
    let tail = "(module (type $t (func (param i32))) (table i64 1 9 funcref)
        (func (param i32) (return_call_indirect (type $t) (local.get 0) (i64.const 3))))";
    assert_eq!(traps(tail), [UndefinedElement, UninitializedElement, IndirectCallTypeMismatch]);
    let by_reference = "(module (type $t (func)) (func (param (ref null $t)) (call_ref $t (local.get 0))))";
    assert_eq!(traps(by_reference), [NullReference]);
    let tail = "(module (type $t (func)) (func (param (ref $t)) (return_call_ref $t (local.get 0))))";
    assert_eq!(traps(tail), [NullReference]);
    let own = "(module (func $f (param i32) (result i32)
        (if (local.get 0) (then (drop (call $f (i32.const 0))))) (return_call $f (i32.const 1))))";
    assert_eq!(traps(own), []);
}

#[test]
fn reference_traps() {
    let table = |element: &str, body: &str| {
        traps(&format!("(module (table $t 1 {element}) (table 2 {element}) (elem $e {element}) (func {body}))"))
    };
    for element in ["funcref", "externref"] {
        assert_eq!(table(element, &format!("(result {element}) (table.get $t (i32.const 1))")), [TableOutOfBounds]);
        let set = format!("(param {element}) (table.set $t (i32.const 1) (local.get 0))");
        assert_eq!(table(element, &set), [TableOutOfBounds]);
        let bulk = format!(
            "(param {element}) (result i32)
             (table.fill $t (i32.const 0) (local.get 0) (table.size $t))
             (table.copy $t 1 (i32.const 0) (i32.const 0) (i32.const 1))
             (table.init $t $e (i32.const 0) (i32.const 0) (i32.const 0))
             (elem.drop $e)
             (table.grow $t (local.get 0) (i32.const 3))"
        );
        assert_eq!(table(element, &bulk), []);
    }
    assert_eq!(traps("(module (func (param funcref) (drop (ref.as_non_null (local.get 0)))))"), [NullReference]);
    assert_eq!(traps("(module (func $f (export \"f\")) (func (result funcref) (ref.func $f)))"), []);
}

#[test]
fn control_shapes() {
    let shapes = [
        // Nothing branches to the block; its end is its results.
        "(param i32) (result i32) (block (result i32) (local.get 0))",
        // Parameters and results through loops and both kinds of `if`.
        "(param i32) (result i32 i32)
           i32.const 1 i32.const 2 (loop (param i32 i32) (result i32 i32) (br_if 0 (local.get 0)))
           (if (param i32 i32) (result i32 i32) (local.get 0) (then i32.add i32.const 5))
           (if (param i32 i32) (result i32 i32) (local.get 0) (then drop i32.const 1) (else drop i32.const 2))",
        // Branches out of an `if` without `else`.
        "(param i32) (if (local.get 0) (then (br_if 0 (local.get 0)) (br 0)))",
        // Tables with and without operands, to repeated labels, to loops and to the function.
        "(param i32) (result i32)
           (block $a (result i32) (block $b (result i32)
             i32.const 7 local.get 0 br_table $a $b $a 2 $b))",
        "(param i32) (loop $l (block $b (br_table $l $b $b $l 2 (local.get 0))))",
        "(param i32) (result i32) (i32.const 1) (br_table 0 (local.get 0))",
        // Unreachable code with nested blocks in every arm.
        "(param i32) (result i32)
           (if (result i32) (local.get 0)
             (then unreachable (block (loop (if (i32.const 1) (then nop) (else nop)))))
             (else (return (i32.const 2)) (block br 0) (i32.const 3)))",
        "(param (ref null func)) (block (br_on_null 0 (local.get 0)) drop)
           (block (result (ref func)) (br_on_non_null 0 (local.get 0)) return) drop",
        "(param v128 f32 f64 externref) (result v128 f32 f64 externref)
           local.get 0 local.get 1 local.get 2 local.get 3 br 0",
    ];
    for shape in shapes {
        let text = format!("(module (func {shape}))");
        compile_text(&text, VERIFY);
        compile_text(&text, ALL);
    }
}

#[test]
fn only_wide_offsets_are_checked_in_guarded_memories() {
    let size = |offset: u32| {
        let text = format!("(module (memory 16) (func (param i32) (result i32) local.get 0 i32.load offset={offset}))");
        compile_one(&text, VERIFY).traps.len()
    };
    assert_eq!(size((32 << 20) - 4), 1);
    assert_eq!(size((32 << 20) - 3), 2);
}

#[test]
fn few_targets_are_compared_and_tests_for_a_value_are_branches() {
    // `jmp` through a register is `ff` with `/4`.
    let jumps_through_table = |code: &[u8]| code.windows(2).any(|pair| pair[0] == 0xff && pair[1] >> 3 == 0b11100);
    let table = |targets: &str| {
        let text = format!(
            "(module (func (param i32) (result i32)
               (block $a (block $b (br_table {targets} (local.get 0))) (return (i32.const 5))) (i32.const 6)))"
        );
        compile_text(&text, ALL);
        compile_one(&text, VERIFY).bytes
    };
    assert!(!jumps_through_table(&table("$a $b $a $b $b")));
    assert!(jumps_through_table(&table("$a $b $a $b $a $b")));
    // `cmovcc` is `0f 4x`.
    let moves = |code: &[u8]| code.windows(2).any(|pair| pair[0] == 0x0f && pair[1] >> 4 == 4);
    let select = |condition: &str| {
        let text = format!(
            "(module (func (param i32 i32) (result i32) (i32.add (local.get 1)
               (select (local.get 0) (local.get 1) {condition}))))"
        );
        compile_text(&text, ALL);
        compile_one(&text, VERIFY).bytes
    };
    assert!(!moves(&select("(i32.eq (local.get 0) (i32.const 92))")));
    assert!(moves(&select("(i32.eqz (local.get 0))")));
    assert!(moves(&select("(i32.lt_s (local.get 0) (i32.const 92))")));
}
