//! OSR entries of many shapes compile, verified, and read the image they should.

use abi::compiled::CompiledCode;
use abi::compiler::{CompileErrorKind, Compiler, Request};
use abi::memory::MemoryPolicy;
use wasm::types::DefinedFuncIndex;

use crate::OptimizingCompiler;
use crate::testing::{ALL, VERIFY, compile_binary, compile_loops, with_module};

/// The OSR entries of a module of one function with this signature and body, under two settings.
fn entries(function: &str) -> Vec<CompiledCode> {
    let text = format!(
        "(module (import \"\" \"f\" (func $f (param i32) (result i32)))
           (func $more (import \"\" \"more\") (result i32 i64 f32 f64 v128 i32 i32 i32 i32 i32 i32 i32 i32))
           (func {function}))"
    );
    let bytes = wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let compiler = OptimizingCompiler::new().expect("tests run on a supported machine");
    let all = compile_loops(&compiler, &bytes, MemoryPolicy::default(), ALL);
    let plain = compile_loops(&compiler, &bytes, MemoryPolicy::default(), VERIFY);
    assert_eq!(all.map(|codes| codes.len()), plain.as_ref().map(Vec::len));
    plain.expect("the test's module is valid")
}

#[test]
fn simple_loops() {
    assert_eq!(entries("(param i32) (loop (br_if 0 (local.get 0)))").len(), 1);
    let counted = "(param i32) (result i32) (local i64 f32 f64 v128 funcref externref)
        (loop (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
              (local.set 1 (i64.add (local.get 1) (i64.const 3))) (br_if 0 (local.get 0)))
        (i32.wrap_i64 (local.get 1))";
    assert_eq!(entries(counted).len(), 1);
    // The code in front of the loop is gone.
    let cold = "i32.const 1 call $f drop ".repeat(100);
    let codes = entries(&format!("(param i32) {cold} (loop (br_if 0 (local.get 0)))"));
    assert!(codes[0].bytes.len() < 200, "{} bytes", codes[0].bytes.len());
    // And stays where an outer loop leads back to it.
    let codes = entries(&format!(
        "(param i32) (loop $outer {cold} (loop (br_if 0 (local.get 0))) (br_if $outer (call $f (i32.const 2))))"
    ));
    assert!(codes[1].bytes.len() > 1000, "{} bytes", codes[1].bytes.len());
}

#[test]
fn operands_below_loops() {
    let shapes = [
        ("(param i32) (result i32) i32.const 5 (loop (br_if 0 (local.get 0))) ", 1),
        // The operand is merged behind an outer block that is left from in front of the loop and from inside it.
        (
            "(param i32) (result i32) (call $f (i32.const 7))
             (block $a (br_if $a (local.get 0)) (loop (br_if $a (local.get 0)) (br 0)))
             (i32.add (call $f (i32.const 1)))",
            1,
        ),
        // Around it an outer loop.
        (
            "(param i32) (result i32) (call $f (i32.const 7))
             (loop $o (drop (call $f (i32.const 0)))
               (loop (br_if $o (local.get 0)) (br_if 0 (call $f (i32.const 1)))) (br_if $o (local.get 0)))",
            2,
        ),
        // In each arm of an `if` with parameters, with operands for the `else` arm in between.
        (
            "(param i32) (result i32) (call $f (i32.const 7)) (call $f (i32.const 8))
             (if (param i32) (result i32) (local.get 0)
               (then (call $f (i32.const 1)) (loop (br_if 0 (local.get 0))) i32.add)
               (else (call $f (i32.const 2)) (loop (br_if 0 (local.get 0))) i32.add))
             i32.add",
            2,
        ),
        (
            "(param i32) (result i32) (call $f (i32.const 7)) (call $f (i32.const 8)) (call $f (i32.const 9))
             (if (param i32 i32) (result i32) (local.get 0)
               (then (if (param i32) (result i32) (local.get 0)
                       (then (loop (param i32) (result i32) (br_if 0 (local.get 0)))) (else)) i32.add)
               (else drop))
             i32.add",
            1,
        ),
        // Every type, as loop parameters above other operands.
        (
            "(param i32) (result i32 i64 f32 f64 v128 i32 i32 i32 i32 i32 i32 i32 i32)
             i32.const 1
             call $more (loop (param i32 i64 f32 f64 v128 i32 i32 i32 i32 i32 i32 i32 i32)
               (result i32 i64 f32 f64 v128 i32 i32 i32 i32 i32 i32 i32 i32) (br_if 0 (local.get 0)))
             return",
            1,
        ),
        (
            "(param funcref externref) (result funcref externref) local.get 0 local.get 1
           (loop (param externref) (result externref) (br_if 0 (ref.is_null (local.get 0))))",
            1,
        ),
        // Leaving through tables, with operands.
        (
            "(param i32) (result i32) i32.const 3
             (block $a (result i32) (loop $l (result i32) i32.const 9 (br_table $a $a 2 $a (local.get 0))) ) i32.add",
            1,
        ),
        // Three deep, with operands at each level.
        (
            "(param i32) (result i32) (call $f (i32.const 1))
             (loop $a (result i32) (call $f (i32.const 2))
               (loop $b (result i32) (call $f (i32.const 3))
                 (loop $c (br_if $a (local.get 0)) (br_if $b (call $f (i32.const 1))) (br_if $c (local.get 0)))
                 (br_if $b (local.get 0)))
               i32.add)
             i32.add",
            3,
        ),
    ];
    for (shape, loops) in shapes {
        assert_eq!(entries(shape).len(), loops, "{shape}");
    }
}

#[test]
fn loops_that_are_never_reached_and_offsets_that_are_none() {
    assert_eq!(entries("unreachable (loop)").len(), 0);
    let bytes = wat::parse_str("(module (func (block) (loop)))").expect("the test's text is right");
    let compiler = OptimizingCompiler::new().expect("tests run on a supported machine");
    with_module(&bytes, MemoryPolicy::default(), VERIFY, |module| {
        let request = Request::new(module, DefinedFuncIndex::new(0));
        for offset in 0..bytes.len() as u32 + 2 {
            let is_loop = bytes.get(offset as usize) == Some(&0x03) && offset as usize > request.body.offset;
            match compiler.compile(&Request { osr: Some(offset), ..request }) {
                Ok(_) => assert!(is_loop, "offset {offset}"),
                Err(error) => {
                    assert!(!is_loop, "{error}");
                    assert_eq!(error.kind, CompileErrorKind::Limit);
                }
            }
        }
    });
}

#[test]
fn recursive_calls_go_to_the_function_and_not_to_the_entry() {
    let text = "(module (func $f (param i32) (loop (call $f (i32.const 0)) (br_if 0 (local.get 0)))))";
    let bytes = wat::parse_str(text).expect("the test's text is right");
    let compiler = OptimizingCompiler::new().expect("tests run on a supported machine");
    let codes = compile_loops(&compiler, &bytes, MemoryPolicy::default(), VERIFY).expect("the module is valid");
    let calls_first_byte = |code: &CompiledCode| {
        let is_call = |(at, bytes): (usize, &[u8])| bytes[0] == 0xe8 && bytes[1..] == (-(at as i32 + 5)).to_le_bytes();
        code.bytes.windows(5).enumerate().any(is_call)
    };
    assert!(!calls_first_byte(&codes[0]));
    let codes = compile_binary(&compiler, &bytes, MemoryPolicy::default(), VERIFY).expect("the module is valid");
    assert!(calls_first_byte(&codes[0]));
}

#[test]
fn deep_nests_with_operands_are_refused_in_time() {
    let depth = 5000;
    let text = format!(
        "(module (func (param i32) {} (loop (br_if 0 (local.get 0))) {}))",
        "i32.const 1 (block (br_if 0 (local.get 0))".repeat(depth),
        ") drop".repeat(depth)
    );
    let bytes = wat::parse_str(&text).expect("the test's text is right");
    let compiler = OptimizingCompiler::new().expect("tests run on a supported machine");
    with_module(&bytes, MemoryPolicy::default(), VERIFY, |module| {
        let request = Request::new(module, DefinedFuncIndex::new(0));
        let at = bytes.windows(2).rposition(|bytes| bytes == [0x03, 0x40]).map(|at| at as u32);
        let error = compiler.compile(&Request { osr: at, ..request }).expect_err("too deep");
        assert_eq!(error.kind, CompileErrorKind::Limit);
    });
}
