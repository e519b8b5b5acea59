//! Entry and exit stubs are shared, held by who uses them, and freed when nobody does.

use upshift::{Caller, Config, Engine, Func, FuncType, Instance, Linker, Module, Store, StubStatistics, ValType};

/// Stubs that exist, and those among them that nobody needs: entry stubs, then exit stubs.
fn stubs(engine: &Engine) -> [(usize, usize); 2] {
    let statistics = engine.statistics();
    [statistics.entry_stubs, statistics.exit_stubs].map(|stubs: StubStatistics| (stubs.count, stubs.retired))
}

#[test]
fn host_functions_of_one_type_share_a_stub_and_take_it_along() {
    let engine = Engine::default();
    let mut linker = Linker::<()>::new(&engine);
    linker.func_wrap("", "add", |a: i32, b: i32| a + b).unwrap();
    for number in 0..10 {
        let mut store = Store::new(&engine, ());
        let f = Func::wrap(&mut store, move |_: Caller<'_, ()>, a: i32, b: i32| a - b - number);
        assert_eq!(f.typed::<(i32, i32), i32>(&store).unwrap().call(&mut store, (9, 1)).unwrap(), 8 - number);
        assert_eq!(stubs(&engine), [(1, 0); 2]);
    }
    // The linker holds the exit stub, nobody the entry stub.
    assert_eq!(stubs(&engine), [(1, 1), (1, 0)]);
    assert!(engine.collect_code() > 0);
    assert_eq!(stubs(&engine), [(0, 0), (1, 0)]);
    drop(linker);
    assert_eq!(stubs(&engine)[1], (1, 1));
    engine.collect_code();
    assert_eq!((stubs(&engine), engine.code_bytes()), ([(0, 0); 2], 0));
}

#[test]
fn a_typed_function_is_good_as_long_as_its_store() {
    let engine = Engine::default();
    let text = r#"(module (func (export "f") (param i64) (result i64) (i64.add (local.get 0) (i64.const 1))))"#;
    let mut stores: Vec<_> = (0..5)
        .map(|_| {
            let module = Module::new(&engine, text).unwrap();
            let mut store = Store::new(&engine, ());
            let instance = Instance::new(&mut store, &module, &[]).unwrap();
            let f = instance.get_typed_func::<i64, i64>(&mut store, "f").unwrap();
            (store, f)
        })
        .collect();
    while let Some((mut store, f)) = stores.pop() {
        engine.collect_code();
        engine.flush_code();
        assert_eq!(f.call(&mut store, 41).unwrap(), 42);
        assert_eq!(stubs(&engine)[0], (1, 0));
    }
    engine.collect_code();
    assert_eq!(stubs(&engine)[0], (0, 0));
}

#[test]
fn a_stub_that_was_retired_is_found_again() {
    let engine = Engine::default();
    for _ in 0..5 {
        let mut store = Store::new(&engine, ());
        let f = Func::wrap(&mut store, |a: f64| a);
        assert_eq!(f.typed::<f64, f64>(&store).unwrap().call(&mut store, 1.5).unwrap(), 1.5);
        let before = engine.code_bytes();
        drop(store);
        assert_eq!((stubs(&engine), engine.code_bytes()), ([(1, 1); 2], before));
    }
    assert_eq!(engine.statistics().code_gc.collections, 0);
}

#[test]
fn types_without_end_take_no_memory_without_end() {
    let engine = Engine::default();
    let types = [ValType::I32, ValType::I64, ValType::F32, ValType::F64, ValType::V128];
    let mut most = 0;
    for number in 0..3000_usize {
        let mut store = Store::new(&engine, ());
        let params: Vec<ValType> = (0..6).map(|place| types[number / 5_usize.pow(place) % 5].clone()).collect();
        let ty = FuncType::new(&engine, params, []);
        Func::new(&mut store, ty, |_, _, _| Ok(()));
        most = most.max(engine.code_bytes());
    }
    let statistics = engine.statistics();
    assert!(statistics.code_gc.collections > 0 && statistics.exit_stubs.count < 1500, "{statistics:?}");
    assert!(most < 300 << 10, "{most} bytes");
}

#[test]
fn stubs_come_and_go_under_many_threads() {
    let engine = Engine::new(Config::new().code_gc_stress(true)).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..3 {
            let engine = &engine;
            scope.spawn(move || {
                for round in 0..150 {
                    let mut store = Store::new(engine, ());
                    let n = round + thread;
                    let f = Func::wrap(&mut store, move |a: i32| a + n);
                    let g = Func::wrap(&mut store, move |a: i32, b: i64| i64::from(a) + b);
                    let [f, g] = [f.typed::<i32, i32>(&store).map(|f| f.call(&mut store, 1).unwrap()), {
                        let g = g.typed::<(i32, i64), i64>(&store).unwrap();
                        Ok(g.call(&mut store, (n, 3)).unwrap() as i32)
                    }];
                    assert_eq!((f.unwrap(), g.unwrap()), (1 + n, n + 3));
                }
            });
        }
    });
    engine.collect_code();
    assert_eq!((stubs(&engine), engine.code_bytes()), ([(0, 0); 2], 0));
}
