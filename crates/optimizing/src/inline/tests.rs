//! Plans, and code that inlines: what is chosen, and to which frames it belongs.

use abi::compiled::CompiledCode;
use abi::compiler::{Compiler, ModuleEnv, Request};
use abi::feedback::{FeedbackSource, FunctionFeedback, MAX_TARGETS, SiteFeedback};
use abi::memory::MemoryPolicy;
use abi::trap::TrapReason;
use wasm::types::{DefinedFuncIndex, FuncIndex};

use super::{Plan, budget};
use crate::OptimizingCompiler;
use crate::testing::{ALL, AllHot, VERIFY, compile_inlined, with_module};

fn binary(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// The functions of the plan for the last function of a module all of whose calls were executed so often.
fn planned(text: &str, count: u32) -> Vec<u32> {
    let work = |module: &ModuleEnv<'_>| {
        let feedback = AllHot { module, count, first_target: 0 };
        let last = DefinedFuncIndex::new(module.info.bodies.len() - 1);
        let request = Request { feedback: Some(&feedback), ..Request::new(module, last) };
        let plan = Plan::make(&request).expect("the module is valid").expect("there is feedback");
        plan.nodes[1..].iter().map(|node| node.function.0).collect()
    };
    with_module(&binary(text), MemoryPolicy::default(), VERIFY, work).expect("the test's module is valid")
}

/// Compiles the last function of a module, with all inlined that can be.
fn last(text: &str) -> CompiledCode {
    let compiler = OptimizingCompiler::new().expect("tests run on a supported machine");
    compile_inlined(&compiler, &binary(text), MemoryPolicy::default(), ALL, 0).expect("the test's module is valid");
    let codes = compile_inlined(&compiler, &binary(text), MemoryPolicy::default(), VERIFY, 0);
    codes.expect("the test's module is valid").pop().expect("the test's module has a function")
}

/// The functions and offsets of the frames at a code offset, innermost first.
fn frames_at(code: &CompiledCode, own: u32, at: u32) -> Vec<(u32, Option<u32>)> {
    let position = code.positions.iter().rfind(|position| position.code_offset <= at).map(|found| found.wasm_offset);
    let mut frame = code.frames.iter().rfind(|start| start.code_offset <= at).map_or(0, |start| start.frame);
    let mut offset = position;
    let mut frames = Vec::new();
    while let Some(call) = frame.checked_sub(1) {
        let inlined = code.inlined[call as usize];
        frames.push((inlined.function.0, offset));
        (frame, offset) = (inlined.parent, Some(inlined.wasm_offset));
    }
    frames.push((own, offset));
    frames
}

#[test]
fn choices() {
    let big = "(drop (i32.mul (local.get 0) (i32.const 77777)))".repeat(10);
    let module = |big: &str| {
        format!(
            "(module (import \"\" \"i\" (func $i (param i32)))
               (func $tiny (param i32)) (func $big (param i32) {big})
               (func (call $i (i32.const 1)) (call $tiny (i32.const 1)) (call $big (i32.const 1))))"
        )
    };
    // Calls that never happened stay.
    assert_eq!(planned(&module(&big), 0), []);
    // Seldom called ones are inlined if they are tiny.
    assert_eq!(planned(&module(&big), 1), [0]);
    assert_eq!(planned(&module(&big), 1000).len(), 1);
    // Within the budget, larger ones as well.
    assert_eq!(planned(&module("(drop (i32.mul (local.get 0) (i32.const 77777)))"), 1000).len(), 2);
    // Recursion, to a depth.
    let recursive = "(module (func $f (param i32) (result i32)
        (if (result i32) (i32.lt_s (local.get 0) (i32.const 2)) (then (local.get 0))
          (else (i32.add (call $f (i32.sub (local.get 0) (i32.const 1)))
                         (call $f (i32.sub (local.get 0) (i32.const 2))))))))";
    let nodes = planned(recursive, 1000);
    assert!((2..=60).contains(&nodes.len()), "{nodes:?}");
    // Tail calls in a callee.
    let tail = "(module (func $a) (func $b (return_call $a)) (func (call $b)))";
    assert_eq!(planned(tail, 1000), []);
    // Chains of tiny callees go seven deep.
    let chain: String = (1..12).map(|index| format!("(func $f{index} (call $f{}))", index - 1)).collect();
    assert_eq!(planned(&format!("(module (func $f0) {chain})"), 9).len(), 7);
}

#[test]
fn budgets() {
    assert_eq!(budget(10, 0.0), 50);
    assert_eq!(budget(100, 0.0), 200);
    assert_eq!(budget(100, 0.9), 500);
    assert_eq!(budget(600, 0.0), 700);
    assert_eq!(budget(10_000, 0.5), 11_000);
    assert_eq!(budget(2000, 0.5), 7000);
}

#[test]
fn traps_belong_to_the_inlined_frames() {
    let text = "(module
        (func $divide (param i32 i32) (result i32) (i32.div_u (local.get 0) (local.get 1)))
        (func $middle (param i32) (result i32) (call $divide (i32.const 5) (local.get 0)))
        (func (param i32) (result i32) (i32.add (call $middle (local.get 0)) (call $middle (i32.const 1)))))";
    let code = last(text);
    assert_eq!(code.inlined.len(), 4);
    let trap = code.traps.iter().find(|site| site.reason == TrapReason::IntegerDivideByZero).expect("a division");
    let frames = frames_at(&code, 2, trap.offset);
    assert_eq!(frames.iter().map(|frame| frame.0).collect::<Vec<_>>(), [0, 1, 2]);
    let bytes = binary(text);
    let operators: Vec<u8> = frames.iter().map(|frame| bytes[frame.1.expect("an offset") as usize]).collect();
    assert_eq!(operators, [0x6e, 0x10, 0x10]);
}

#[test]
fn calls_in_inlined_code_belong_to_it() {
    let text = "(module (import \"\" \"i\" (func $i))
        (func $callee (call $i) (call $i))
        (func (call $callee)))";
    let code = last(text);
    let bytes = binary(text);
    let mut calls = Vec::new();
    for position in &code.positions {
        let frames = frames_at(&code, 1, position.code_offset);
        if let [(0, Some(inner)), (1, Some(outer))] = frames[..] {
            assert_eq!((bytes[inner as usize], bytes[outer as usize]), (0x10, 0x10));
            calls.push(inner);
        }
    }
    calls.dedup();
    assert_eq!(calls.len(), 2, "{calls:?}");
}

#[test]
fn shapes_of_callees() {
    let bodies = [
        "(param i32) (result i32) (local i32 i64 v128) (local.set 1 (local.get 0)) (local.get 1)",
        "(param i32) (result i32) unreachable",
        "(param i32) (result i32) (return (local.get 0))",
        "(param i32) (result i32) (if (local.get 0) (then (return (i32.const 1)))) (br 0 (i32.const 2))",
        "(param i32) (result i32) (block (block (br_table 0 1 0 1 (local.get 0))) (unreachable)) (i32.const 4)",
        "(param i32) (result i32) (loop (result i32) (br_if 0 (local.get 0)) (br_if 1 (i32.const 1) (local.get 0)))",
        "(param i32) (result i32) (i32.const 1) (i32.const 2) (i32.const 3) return",
        "(param i32) (result i32) (block (br_if 1 (i32.const 8) (local.get 0)) (drop)) (return (i32.const 1)) (block (unreachable))",
    ];
    for body in bodies {
        let text = format!(
            "(module (type $t (func (param i32) (result i32))) (table 8 funcref) (elem (i32.const 0) $f $g)
               (func $f {body}) (func $g (param i32) (result i32) (i32.const 1)) (elem declare func $f)
               (func (export \"a\") (param i32) (result i32)
                 (i32.const 3) (call $f (local.get 0)) i32.add
                 (if (result i32) (local.get 0) (then (call $f (i32.const 2))) (else (i32.const 2))) i32.add)
               (func (export \"b\") (param i32) (result i32) (local i32)
                 (loop (result i32)
                   (i32.const 3) (call_indirect (type $t) (local.get 0) (local.get 0)) i32.add
                   (local.set 1 (i32.add (local.get 1) (i32.const 1))) (br_if 0 (local.get 1)))
                 (call_ref $t (local.get 0) (ref.func $f)) i32.add))"
        );
        let code = last(&text);
        assert!(!code.inlined.is_empty());
    }
    let many = "i32 ".repeat(30);
    let sums = "i32.add ".repeat(29);
    let gets: String = (0..30).map(|index| format!("(i32.const {index})")).collect();
    let buffered = format!(
        "(module (func $f (param i32) (result {many}) {gets})
           (func (param i32) (result i32) (call $f (local.get 0)) {sums}))"
    );
    let code = last(&buffered);
    assert!(code.frame_size < 64, "a buffer is left: {}", code.frame_size);
}

/// Sites with these counts and targets.
struct Given(Vec<SiteFeedback>);

impl FeedbackSource for Given {
    fn feedback(&self, _: DefinedFuncIndex) -> Option<FunctionFeedback> {
        Some(FunctionFeedback { sites: self.0.clone() })
    }
}

#[test]
fn targets_that_cannot_be_guarded_are_left() {
    let text = "(module (type $t (func)) (type $same (func)) (type $other (func (param i32)))
        (import \"\" \"i\" (func $import (type $t)))
        (func $right (type $t)) (func $twin (type $same)) (func $wrong (type $other)) (func $hidden (type $t))
        (table 1 funcref) (elem declare func $import $right $twin $wrong)
        (func (param i32) (call_indirect (type $t) (local.get 0))))";
    let bytes = binary(text);
    let at = bytes.windows(4).rposition(|bytes| bytes == [0x11, 0, 0, 0x0b]).expect("the call") as u32;
    let plan = |target: u32| {
        let mut targets = [None; MAX_TARGETS];
        targets[0] = Some((FuncIndex(target), 100));
        let feedback = Given(vec![SiteFeedback { wasm_offset: at, count: 100, targets }]);
        let work = |module: &ModuleEnv<'_>| {
            let request = Request { feedback: Some(&feedback), ..Request::new(module, DefinedFuncIndex(4)) };
            let compiler = OptimizingCompiler::new().expect("tests run on a supported machine");
            compiler.compile(&request).expect("the function compiles").inlined.len()
        };
        with_module(&bytes, MemoryPolicy::default(), VERIFY, work).expect("the test's module is valid")
    };
    // In the index space: the import, then the others; last one that does not exist.
    assert_eq!([0, 1, 2, 3, 4, 99].map(plan), [0, 1, 1, 0, 0, 0]);
}
