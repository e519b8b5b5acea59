//! The runner on small scripts: what passes, what fails, and how a failure reads.

use upshift::Engine;

use super::{Options, Report, run};

fn run_script(text: &str) -> Report {
    run(&Engine::default(), "test.wast", text, Options::default())
}

#[test]
fn every_kind_of_directive_passes() {
    let report = run_script(
        r#"
        (module $m
          (import "spectest" "global_i32" (global i32))
          (global (export "g") i32 (global.get 0))
          (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
          (func (export "nan") (result f32) (f32.div (f32.const 0) (f32.const 0)))
          (func (export "trap") unreachable)
          (func $deep (export "deep") (call $deep))
          (func (export "echo") (param externref) (result externref) (local.get 0))
          (func (export "lanes") (result v128) (v128.const f32x4 1 2 3 nan)))
        (register "m" $m)
        (module (import "m" "add" (func (param i32 i32) (result i32))))
        (module definition $d (func (export "one") (result i32) (i32.const 1)))
        (module instance $i $d)
        (invoke $m "add" (i32.const 1) (i32.const 2))
        (assert_return (invoke $i "one") (i32.const 1))
        (assert_return (invoke $m "add" (i32.const 1) (i32.const 2)) (i32.const 3))
        (assert_return (invoke $m "add" (i32.const 1) (i32.const 2)) (either (i32.const 4) (i32.const 3)))
        (assert_return (invoke $m "nan") (f32.const nan:canonical))
        (assert_return (invoke $m "echo" (ref.extern 7)) (ref.extern 7))
        (assert_return (invoke $m "echo" (ref.null extern)) (ref.null extern))
        (assert_return (invoke $m "lanes") (v128.const f32x4 1 2 3 nan:arithmetic))
        (assert_return (get $m "g") (i32.const 666))
        (assert_trap (invoke $m "trap") "unreachable")
        (assert_trap (module (func $f unreachable) (start $f)) "unreachable")
        (assert_exhaustion (invoke $m "deep") "call stack exhausted")
        (assert_invalid (module (func (result i32))) "type mismatch")
        (assert_malformed (module quote "(func (nonsense))") "unknown operator")
        (assert_malformed (module binary "\00asm\02\00\00\00") "unknown binary version")
        (assert_unlinkable (module (import "m" "nothing" (func))) "unknown import")
        "#,
    );
    assert_eq!(report.to_string(), "PASS 21 FAIL 0", "{:#?}", report.failures);
}

#[test]
fn failures_say_where_and_what() {
    let report = run_script(
        "(module (func (export \"one\") (result i32) (i32.const 1)))\n  (assert_return (invoke \"one\") (i32.const 2))\n\
         (assert_trap (invoke \"one\") \"unreachable\")\n(assert_invalid (module) \"type mismatch\")\n\
         (assert_return (invoke \"two\"))",
    );
    assert_eq!((report.passed, report.failed), (1, 4));
    let shown: Vec<String> = report.failures.iter().map(ToString::to_string).collect();
    assert_eq!(shown[0], "test.wast:2: result 0: expected i32 2 (0x2), got i32 1 (0x1)");
    assert_eq!(report.failures[0].column, 4);
    assert_eq!(report.failures[0].directive, "(assert_return (invoke \"one\") (i32.const 2))");
    assert!(shown[1].starts_with("test.wast:3: expected the trap `unreachable`"));
    assert!(shown[2].starts_with("test.wast:4: the module compiled, but should not"));
    assert_eq!(shown[3], "test.wast:5: there is no exported function `two`");
}

#[test]
fn a_script_that_is_no_script_is_one_failure() {
    let report = run_script("(module)\n(assert_nothing)");
    assert_eq!((report.passed, report.failed), (0, 1));
    assert_eq!(report.failures[0].line, 2);
}

#[test]
fn unsupported_directives_are_failures_unless_skipped() {
    let script = "(module (func (export \"f\")))(assert_exception (invoke \"f\"))";
    let report = run_script(script);
    assert_eq!(report.failures[0].message, "unsupported directive: assert_exception");
    let report = run(&Engine::default(), "test.wast", script, Options { skip_unsupported: true });
    assert_eq!((report.passed, report.failed, report.skipped), (1, 0, 1));
}
