//! Host functions: every number of parameters, many results, errors and panics.

use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};

use upshift::{
    Caller, Engine, Error, Extern, Func, FuncType, Instance, Module, Result, Store, Trap, Val, ValType, WasmBacktrace,
};

use super::{instantiate, panic_of};

macro_rules! sums {
    ($store:ident: $($count:literal: $($name:ident)*;)*) => {
        $(
            let func = Func::wrap(&mut $store, |mut caller: Caller<'_, u64>, $($name: i64),*| -> i64 {
                *caller.data_mut() += 1;
                0 $(+ $name)*
            });
            let plain = Func::wrap(&mut $store, |$($name: i64),*| -> i64 { 0 $(+ $name)* });
            check_sum(&mut $store, &[func, plain], $count);
        )*
    };
}

/// Calls functions that add their parameters up, from the host and from Wasm.
fn check_sum(store: &mut Store<u64>, funcs: &[Func], count: usize) {
    let params: Vec<Val> = (0..count).map(|n| Val::I64(1 << n)).collect();
    let sum = (1i64 << count) - 1;
    let types = "i64 ".repeat(count);
    let gets: String = (0..count).map(|n| format!("(local.get {n})")).collect();
    let text = format!(
        r#"(module (import "" "" (func $f (param {types}) (result i64)))
            (func (export "f") (param {types}) (result i64) (call $f {gets})))"#
    );
    let module = Module::new(store.engine(), text).unwrap();
    for &func in funcs {
        let instance = Instance::new(&mut *store, &module, &[func.into()]).unwrap();
        let through = instance.get_func(&mut *store, "f").unwrap();
        for func in [func, through] {
            let mut results = [Val::I32(0)];
            func.call(&mut *store, &params, &mut results).unwrap();
            assert_eq!(results[0].unwrap_i64(), sum, "{count} parameters");
        }
    }
}

#[test]
fn functions_of_up_to_16_parameters() {
    let mut store = Store::new(&Engine::default(), 0u64);
    sums! { store:
        0: ;
        1: a;
        2: a b;
        3: a b c;
        4: a b c d;
        5: a b c d e;
        6: a b c d e f;
        7: a b c d e f g;
        8: a b c d e f g h;
        9: a b c d e f g h i;
        10: a b c d e f g h i j;
        11: a b c d e f g h i j k;
        12: a b c d e f g h i j k l;
        13: a b c d e f g h i j k l m;
        14: a b c d e f g h i j k l m n;
        15: a b c d e f g h i j k l m n o;
        16: a b c d e f g h i j k l m n o p;
    }
    assert_eq!(*store.data(), 17 * 2);
}

#[test]
fn many_results_both_ways() {
    type Many = (i32, i64, f32, f64, i32, i64, f32, f64, i32, i64, f32, f64, i32, i64, f32, f64);
    let many: Many = (1, 2, 3.0, 4.0, 5, 6, 7.0, 8.0, 9, 10, 11.0, 12.0, 13, 14, 15.0, 16.0);
    let types = "i32 i64 f32 f64 ".repeat(4);
    let text = format!(
        r#"(module (import "" "" (func $f (result {types})))
            (func (export "f") (result {types}) (call $f)))"#
    );
    let (mut store, instance) =
        instantiate((), &text, |store| vec![Func::wrap(store, move || -> Result<Many> { Ok(many) }).into()]);
    let func = instance.get_typed_func::<(), Many>(&mut store, "f").unwrap();
    let (a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p) = func.call(&mut store, ()).unwrap();
    assert_eq!([a, e, i, m], [1, 5, 9, 13]);
    assert_eq!([b, f, j, n], [2, 6, 10, 14]);
    assert_eq!([c, g, k, o], [3.0, 7.0, 11.0, 15.0]);
    assert_eq!([d, h, l, p], [4.0, 8.0, 12.0, 16.0]);
}

#[test]
fn a_thousand_results_of_any_type() {
    let engine = Engine::default();
    let types = vec![ValType::I64; 1000];
    let ty = FuncType::new(&engine, types.clone(), types);
    let mut store = Store::new(&engine, ());
    let reverse = Func::new(&mut store, ty, |_, params, results| {
        results.iter_mut().zip(params.iter().rev()).for_each(|(result, param)| *result = *param);
        Ok(())
    });
    let list = "i64 ".repeat(1000);
    let gets: String = (0..1000).map(|n| format!("(local.get {n})")).collect();
    let text = format!(
        r#"(module (import "" "" (func $f (param {list}) (result {list})))
            (func (export "f") (param {list}) (result {list}) {gets} (call $f) (call $f) (call $f)))"#
    );
    let module = Module::new(&engine, text).unwrap();
    let instance = Instance::new(&mut store, &module, &[reverse.into()]).unwrap();
    let func = instance.get_func(&mut store, "f").unwrap();
    let params: Vec<Val> = (0..1000).map(Val::I64).collect();
    let mut results = vec![Val::I64(0); 1000];
    func.call(&mut store, &params, &mut results).unwrap();
    assert!(results.iter().rev().enumerate().all(|(at, result)| result.unwrap_i64() == at as i64));
}

#[derive(Debug, PartialEq)]
struct OwnError(u32);

impl std::fmt::Display for OwnError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "own error {}", self.0)
    }
}

impl std::error::Error for OwnError {}

const CALLS: &str = r#"(module $calls
    (import "" "" (func $host (param i32) (result i32)))
    (func $inner (param i32) (result i32) (call $host (local.get 0)))
    (func $outer (export "run") (param i32) (result i32) (call $inner (local.get 0))))"#;

fn host_calls(func: impl FnOnce(&mut Store<u32>) -> Func) -> (Store<u32>, upshift::TypedFunc<i32, i32>) {
    let (mut store, instance) = instantiate(0, CALLS, |store| vec![Extern::Func(func(store))]);
    let run = instance.get_typed_func(&mut store, "run").unwrap();
    (store, run)
}

#[test]
fn the_error_of_a_host_function_comes_back() {
    let (mut store, run) = host_calls(|store| {
        Func::wrap(store, |n: i32| match n {
            0 => Ok(1),
            1 => Err(Error::new(OwnError(7))),
            2 => Err(Error::new(OwnError(8)).context("while testing")),
            3 => Err(Trap::IntegerOverflow.into()),
            _ => Err(Error::msg("a message")),
        })
    });
    for _ in 0..3 {
        assert_eq!(run.call(&mut store, 0).unwrap(), 1);
        let error = run.call(&mut store, 1).unwrap_err();
        assert_eq!(error.downcast_ref::<OwnError>(), Some(&OwnError(7)));
        assert_eq!(error.root_cause().to_string(), "own error 7");
        let frames = error.downcast_ref::<WasmBacktrace>().unwrap().frames();
        assert_eq!(frames.iter().map(|frame| frame.func_name()).collect::<Vec<_>>(), [Some("inner"), Some("outer")]);
        let error = run.call(&mut store, 2).unwrap_err();
        assert_eq!(error.downcast_ref::<OwnError>(), Some(&OwnError(8)));
        assert!(format!("{error:?}").contains("while testing"));
        assert_eq!(error.downcast::<OwnError>().unwrap(), OwnError(8));
        let error = run.call(&mut store, 3).unwrap_err();
        assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::IntegerOverflow));
        let error = run.call(&mut store, 4).unwrap_err();
        assert_eq!(error.root_cause().to_string(), "a message");
    }
}

#[test]
fn a_panic_passes_through_and_the_store_goes_on() {
    let (mut store, run) = host_calls(|store| {
        Func::wrap(store, |mut caller: Caller<'_, u32>, n: i32| {
            *caller.data_mut() += 1;
            match n {
                0 => 1,
                1 => panic!("number {n}"),
                _ => panic_any(OwnError(9)),
            }
        })
    });
    for round in 1..4 {
        assert_eq!(panic_of(|| run.call(&mut store, 1)), "number 1");
        let panic = catch_unwind(AssertUnwindSafe(|| run.call(&mut store, 2))).unwrap_err();
        assert_eq!(panic.downcast_ref::<OwnError>(), Some(&OwnError(9)));
        assert_eq!(run.call(&mut store, 0).unwrap(), 1);
        assert_eq!(*store.data(), 3 * round);
    }
}
