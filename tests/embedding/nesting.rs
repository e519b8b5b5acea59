//! Calls nested through the host: traps and errors at any depth, backtraces across all of them, the stack's end.

use std::sync::Mutex;
use std::thread;

use upshift::{Caller, Config, Engine, Error, Extern, Func, Instance, Module, Store, Trap, WasmBacktrace};

/// Wasm calls the host, which calls Wasm with one less; at 0 it does what `end` says.
const NESTED: &str = r#"(module
    (import "" "down" (func $down (param i32 i32) (result i32)))
    (func $wasm (export "run") (param $depth i32) (param $end i32) (result i32)
        (if (result i32) (local.get $depth)
            (then (i32.add (i32.const 1) (call $down (i32.sub (local.get $depth) (i32.const 1)) (local.get $end))))
            (else
                (if (i32.eq (local.get $end) (i32.const 1)) (then unreachable))
                (if (i32.eq (local.get $end) (i32.const 2)) (then (drop (i32.load (i32.const -1)))))
                (if (i32.eq (local.get $end) (i32.const 3)) (then (drop (i32.div_s (i32.const 1) (i32.const 0)))))
                (if (i32.eq (local.get $end) (i32.const 4)) (then (drop (call $down (i32.const -1) (i32.const 0)))))
                (i32.const 100))))
    (memory 1))"#;

struct State {
    run: Option<Func>,
    /// The depth at which the host takes a failure for a result.
    caught_at: Option<i32>,
}

fn down(mut caller: Caller<'_, State>, depth: i32, end: i32) -> upshift::Result<i32> {
    if depth < 0 {
        return Err(Error::msg("the bottom"));
    }
    let run = caller.data().run.expect("set before the first call").typed::<(i32, i32), i32>(&caller)?;
    let caught = caller.data().caught_at == Some(depth);
    match run.call(&mut caller, (depth, end)) {
        Err(_) if caught => Ok(-1000),
        outcome => outcome,
    }
}

fn nested(engine: &Engine) -> (Store<State>, upshift::TypedFunc<(i32, i32), i32>) {
    let module = Module::new(engine, NESTED).unwrap();
    let mut store = Store::new(engine, State { run: None, caught_at: None });
    let host = Func::wrap(&mut store, down);
    let instance = Instance::new(&mut store, &module, &[host.into()]).unwrap();
    let run = instance.get_func(&mut store, "run").unwrap();
    store.data_mut().run = Some(run);
    let run = run.typed(&store).unwrap();
    (store, run)
}

#[test]
fn fifty_levels_and_back() {
    let (mut store, run) = nested(&Engine::default());
    for depth in [0, 1, 2, 50] {
        assert_eq!(run.call(&mut store, (depth, 0)).unwrap(), 100 + depth);
    }
    let reasons = [Trap::UnreachableCodeReached, Trap::MemoryOutOfBounds, Trap::IntegerDivisionByZero];
    for depth in [0, 1, 7, 50] {
        for (end, reason) in (1..).zip(reasons) {
            let error = run.call(&mut store, (depth, end)).unwrap_err();
            assert_eq!(error.downcast_ref::<Trap>(), Some(&reason));
            let frames = error.downcast_ref::<WasmBacktrace>().unwrap().frames();
            assert_eq!(frames.len(), depth as usize + 1);
            assert!(frames.iter().all(|frame| frame.func_name() == Some("wasm") && frame.func_offset().is_some()));
        }
        let error = run.call(&mut store, (depth, 4)).unwrap_err();
        assert_eq!(error.root_cause().to_string(), "the bottom");
        assert_eq!(run.call(&mut store, (depth, 0)).unwrap(), 100 + depth);
    }
}

#[test]
fn a_failure_caught_halfway() {
    let (mut store, run) = nested(&Engine::default());
    for caught_at in [0, 1, 20, 49] {
        store.data_mut().caught_at = Some(caught_at);
        for end in 1..=4 {
            assert_eq!(run.call(&mut store, (50, end)).unwrap(), -1000 + 50 - caught_at);
        }
    }
}

#[test]
fn nesting_without_end_overflows_the_stack_only_of_wasm() {
    let (mut store, run) = nested(&Engine::default());
    for _ in 0..3 {
        let error = run.call(&mut store, (i32::MAX, 0)).unwrap_err();
        assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::StackOverflow));
        assert_eq!(run.call(&mut store, (5, 0)).unwrap(), 105);
    }
}

#[test]
fn stores_nested_in_each_other() {
    // Two engines and stores in turn; a trap of one must not be taken for one of the other.
    let engine = Engine::default();
    let text = r#"(module
        (import "" "f" (func $f (param i32) (result i32)))
        (func (export "g") (param i32) (result i32) (call $f (local.get 0)))
        (func (export "bad") unreachable))"#;
    let module = Module::new(&engine, text).unwrap();
    let mut outer = Store::new(&engine, ());
    let inner = Mutex::new(nested(&Engine::default()));
    let f = Func::wrap(&mut outer, move |end: i32| -> upshift::Result<i32> {
        let mut inner = inner.lock().unwrap();
        let (store, run) = &mut *inner;
        run.call(store, (10, end))
    });
    let instance = Instance::new(&mut outer, &module, &[f.into()]).unwrap();
    let g = instance.get_typed_func::<i32, i32>(&mut outer, "g").unwrap();
    let bad = instance.get_typed_func::<(), ()>(&mut outer, "bad").unwrap();
    for _ in 0..3 {
        assert_eq!(g.call(&mut outer, 0).unwrap(), 110);
        let error = g.call(&mut outer, 2).unwrap_err();
        assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::MemoryOutOfBounds));
        assert!(bad.call(&mut outer, ()).is_err());
    }
}

const DEEP: &str = r#"(module
    (func $small (export "small") (param i32) (result i32)
        (i32.add (i32.const 1) (call $small (i32.add (local.get 0) (i32.const 1)))))
    (func $big (export "big") (param i64) (result i64) LOCALS
        (local.set 1 (local.get 0))
        (i64.add (call $big (i64.add (local.get 0) (i64.const 1))) SUM))
    (func $end (export "leaf") (result i32) (i32.const 3)))"#;

fn deep(engine: &Engine) -> (Store<()>, Instance) {
    // A frame of many kilobytes: values that live across the call.
    let locals = "(local i64)".repeat(4000);
    let sets: String =
        (2..4001).map(|n| format!("(local.set {n} (i64.mul (local.get {}) (i64.const {n})))", n - 1)).collect();
    let sum = (2..4001).fold("(local.get 1)".to_string(), |sum, n| format!("{sum} (local.get {n}) i64.add"));
    let text = DEEP.replace("LOCALS", &format!("{locals} {sets}")).replace("(i64.add (call $big", "(call $big");
    let text = text.replace("(i64.const 1))) SUM))", &format!("(i64.const 1))) {sum} i64.add)"));
    let module = Module::new(engine, text).unwrap();
    let mut store = Store::new(engine, ());
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    (store, instance)
}

fn overflow(engine: &Engine) {
    let (mut store, instance) = deep(engine);
    for _ in 0..2 {
        let small = instance.get_typed_func::<i32, i32>(&mut store, "small").unwrap();
        let error = small.call(&mut store, 0).unwrap_err();
        assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::StackOverflow));
        let big = instance.get_typed_func::<i64, i64>(&mut store, "big").unwrap();
        let error = big.call(&mut store, 0).unwrap_err();
        assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::StackOverflow));
        let leaf = instance.get_typed_func::<(), i32>(&mut store, "leaf").unwrap();
        assert_eq!(leaf.call(&mut store, ()).unwrap(), 3);
    }
}

#[test]
fn small_and_large_stacks_overflow_alike() {
    for wasm_stack in [64 << 10, 1 << 20, 64 << 20] {
        let engine = Engine::new(Config::new().max_wasm_stack(wasm_stack)).unwrap();
        for stack in [256 << 10, 1 << 20, 8 << 20] {
            let engine = engine.clone();
            thread::Builder::new().stack_size(stack).spawn(move || overflow(&engine)).unwrap().join().unwrap();
        }
    }
}

#[test]
fn functions_first_called_at_the_end_of_a_small_stack_are_compiled() {
    // A chain of functions, each called for the first time by the one before.
    let mut text = String::from("(module ");
    for n in 0..400 {
        let next = if n == 399 { "(i32.const 0)".to_string() } else { format!("(call {} (local.get 0))", n + 1) };
        text += &format!(r#"(func (export "{n}") (param i32) (result i32) (i32.add (i32.const 1) {next}))"#);
    }
    let engine = Engine::default();
    let module = Module::new(&engine, text + ")").unwrap();
    let calls = move || {
        let mut store = Store::new(&engine, ());
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        instance.get_typed_func::<i32, i32>(&mut store, "0").unwrap().call(&mut store, 0)
    };
    let result = thread::Builder::new().stack_size(256 << 10).spawn(calls).unwrap().join().unwrap();
    assert_eq!(result.unwrap(), 400);
}

#[test]
fn large_functions_are_compiled_on_small_stacks() {
    let nested = format!("{}{}{}", "(if (local.get 0) (then ".repeat(800), "nop", "))".repeat(800));
    let sums: String = (0..3000)
        .map(|n| format!("(local.set 1 (i32.mul (local.get 1) (i32.add (local.get 0) (i32.const {n}))))"))
        .collect();
    let blocks = format!("{}{}{}", "(block ".repeat(800), "(br_if 700 (local.get 0))", ")".repeat(800));
    let text = format!(
        r#"(module (func (export "f") (param i32) (result i32) (local i32) {nested} {sums} {blocks} (local.get 1)))"#
    );
    let engine = Engine::default();
    let module = Module::new(&engine, text).unwrap();
    let call = move || {
        let mut store = Store::new(&engine, ());
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        instance.get_typed_func::<i32, i32>(&mut store, "f").unwrap().call(&mut store, 1).unwrap()
    };
    assert_eq!(thread::Builder::new().stack_size(192 << 10).spawn(call).unwrap().join().unwrap(), 0);
}

#[test]
fn a_host_function_may_lend_its_store_to_another_thread() {
    // Each of them has its own stack with its own end.
    let engine = Engine::default();
    let module = Module::new(
        &engine,
        r#"(module
            (import "" "elsewhere" (func $elsewhere (param i32) (result i32)))
            (func $deep (export "deep") (param i32) (result i32)
                (if (result i32) (local.get 0)
                    (then (i32.add (i32.const 1) (call $deep (i32.sub (local.get 0) (i32.const 1)))))
                    (else (i32.const 0))))
            (func (export "run") (param i32) (result i32)
                (i32.add (call $elsewhere (local.get 0)) (call $deep (i32.const 1000)))))"#,
    )
    .unwrap();
    let mut store = Store::new(&engine, None);
    let elsewhere = Func::wrap(&mut store, |mut caller: Caller<'_, Option<Func>>, depth: i32| {
        let deep = caller.data().unwrap().typed::<i32, i32>(&caller).unwrap();
        thread::scope(|scope| {
            let call = || deep.call(&mut caller, depth);
            thread::Builder::new().stack_size(512 << 10).spawn_scoped(scope, call).unwrap().join().unwrap()
        })
    });
    let instance = Instance::new(&mut store, &module, &[Extern::Func(elsewhere)]).unwrap();
    *store.data_mut() = instance.get_func(&mut store, "deep");
    let run = instance.get_typed_func::<i32, i32>(&mut store, "run").unwrap();
    for _ in 0..3 {
        assert_eq!(run.call(&mut store, 1000).unwrap(), 2000);
        let error = run.call(&mut store, i32::MAX).unwrap_err();
        assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::StackOverflow));
    }
}
