//! Budgets: jobs that would take too long are refused in time, those of ordinary programs are not.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use abi::compiler::{Budget, CompileError, CompileErrorKind, Compiler, Request};
use abi::memory::MemoryPolicy;
use wasm::types::DefinedFuncIndex;

use crate::OptimizingCompiler;
use crate::testing::{VERIFY, with_module};

/// The tests' clock: wall time will do.
fn clock() -> Duration {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed()
}

/// Compiles the last function of a module within a budget.
fn compile(text: &str, time: Duration, memory: usize) -> Result<usize, CompileError> {
    let bytes = wat::parse_str(text).expect("the test's text is right");
    let settings = abi::compiler::Settings { verify: false, ..VERIFY };
    let compiler = OptimizingCompiler::new().expect("tests run on a supported machine");
    let result = with_module(&bytes, MemoryPolicy::default(), settings, |module| {
        let last = DefinedFuncIndex::new(module.info.bodies.len() - 1);
        let request = Request { budget: Some(Budget { time, clock, memory }), ..Request::new(module, last) };
        compiler.compile(&request).map(|code| code.bytes.len())
    });
    result.expect("the test's module is valid")
}

/// Code of which Cranelift would take many seconds.
fn bombs() -> Vec<String> {
    let phi = |locals: usize, loops: usize| {
        let sets: String =
            (1..locals).map(|l| format!("(local.set {l} (i32.add (local.get {l}) (i32.const {l})))")).collect();
        let (open, close) = ("(loop ".repeat(loops), "(br_if 0 (local.get 0)))".repeat(loops));
        format!(
            "(module (func (param i32) (result i32) (local {}) {sets} {open} {sets} {close} (local.get 3)))",
            "i32 ".repeat(locals)
        )
    };
    let nested = |count: usize| {
        format!(
            "(module (func (param i32) {} {}))",
            "loop ".repeat(count),
            "(br_if 0 (local.get 0)) end ".repeat(count)
        )
    };
    let stack = |count: usize| {
        let push = "(i32.mul (local.get 0) (local.get 0)) (local.set 0 (i32.add (local.get 0) (i32.const 1))) ";
        format!("(module (func (param i32) (result i32) {} {}))", push.repeat(count), "i32.add ".repeat(count - 1))
    };
    let merges = |locals: usize, ifs: usize| {
        let sets: String =
            (1..locals).map(|l| format!("(local.set {l} (i32.load offset={l} (local.get 0)))")).collect();
        let ifs: String = (0..ifs)
            .map(|i| {
                format!(
                    "(if (i32.load offset={i} (local.get 0)) (then (i32.store (local.get 0) (local.get {}))))",
                    i % locals
                )
            })
            .collect();
        let gets: String = (1..locals).map(|l| format!("(local.get {l}) i32.add ")).collect();
        format!(
            "(module (memory 1) (func (param i32) (result i32) (local {}) {sets} {ifs} (local.get 0) {gets}))",
            "i32 ".repeat(locals)
        )
    };
    vec![phi(1000, 200), phi(200, 1000), nested(60_000), stack(20_000), merges(3000, 10_000)]
}

#[test]
fn bombs_are_refused_in_time() {
    for bomb in bombs() {
        let start = Instant::now();
        let error = compile(&bomb, Duration::from_secs(1), 1 << 30).expect_err("it takes too long");
        assert_eq!(error.kind, CompileErrorKind::Budget, "{error}");
        // Twice the budget for a loaded machine, and something for reading the text.
        assert!(start.elapsed() < Duration::from_secs(6), "{:?} for: {error}", start.elapsed());
    }
}

#[test]
fn large_bodies_of_the_usual_kind_pass() {
    let shapes = [
        format!(
            "(module (func (param i32) {} {}))",
            "block ".repeat(50_000),
            "(br_if 0 (local.get 0)) end ".repeat(50_000)
        ),
        format!("(module (func (param i32) (result i32) (local {}) (local.get 0)))", "i64 ".repeat(49_000)),
        format!(
            "(module (func (param i32) (result i32) (local.get 0) {}))",
            "local.get 0 i32.add i32.const 7 i32.xor ".repeat(20_000)
        ),
        format!("(module (func (param i32) (block (br_table {} (local.get 0)))))", "0 1 ".repeat(30_000)),
    ];
    for shape in shapes {
        compile(&shape, Duration::from_secs(60), 1 << 30).expect("it is within the budget");
    }
}

#[test]
fn memory_is_bounded() {
    let text =
        format!("(module (func (param i32) (result i32) (local.get 0) {}))", "local.get 0 i32.add ".repeat(20_000));
    let error = compile(&text, Duration::from_secs(60), 1 << 20).expect_err("it takes more");
    assert_eq!(error.kind, CompileErrorKind::Budget);
    assert!(error.message.contains("memory"), "{error}");
    compile(&text, Duration::from_secs(60), 1 << 28).expect("it is within the budget");
}
