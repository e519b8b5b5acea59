//! Loops that are hot now go on in optimized code now.

use upshift::{Config, Engine, Tier, Val};

use super::instantiate;

/// A configuration in which loops are left in place, on the thread that runs them; large enough for a first call to get to
/// its loop.
fn at_once() -> Config {
    let mut config = Config::new();
    config.tiering_budget(2000).sync_tier_up(true);
    config
}

/// Calls `run` once with `n`, in place and in the background, and compares with the optimizing tier alone.
fn once(text: &str, n: i64) {
    let mut optimizing = Config::new();
    optimizing.tier(upshift::TierChoice::Optimizing);
    let mut hurried = Config::new();
    hurried.tiering_budget(1000);
    let mut off = at_once();
    off.osr(false);
    let mut results = Vec::new();
    for config in [&optimizing, &at_once(), &hurried, &off, &Config::new()] {
        let engine = Engine::new(config).unwrap();
        let (module, mut store, instance) = instantiate(&engine, text);
        let run = instance.get_func(&mut store, "run").unwrap();
        let mut values = vec![Val::I64(0); run.ty(&store).results().len()];
        run.call(&mut store, &[Val::I64(n)], &mut values).unwrap();
        results.push((format!("{values:?}"), module.statistics().tiering.osr_entered));
    }
    for (result, _) in &results {
        assert_eq!(*result, results[0].0, "{text}");
    }
    let entered: Vec<u64> = results.iter().map(|(_, entered)| *entered).collect();
    assert!(entered[1] > 0 && entered[0] == 0 && entered[3] == 0, "{entered:?} for {text}");
}

#[test]
fn a_loop_in_one_call() {
    once(
        r#"(module (func (export "run") (param i64) (result i64) (local i64)
            (loop (local.set 1 (i64.add (i64.mul (local.get 1) (i64.const 31)) (local.get 0)))
                (br_if 0 (i64.ne (i64.const 0) (local.tee 0 (i64.sub (local.get 0) (i64.const 1))))))
            (local.get 1)))"#,
        3_000_000,
    );
}

#[test]
fn nested_loops_with_values_below_them() {
    once(
        r#"(module
            (func (export "run") (param $n i64) (result i64 f64) (local $i i64) (local $j i64) (local $f f64)
                (i64.const 17)
                (loop (param i64) (result i64)
                    (i64.add (local.get $i))
                    (i64.const 3)
                    (local.set $j (i64.const 5))
                    (loop (param i64) (result i64)
                        (i64.xor (local.get $j))
                        (local.set $f (f64.add (local.get $f) (f64.const 0.5)))
                        (br_if 0 (i64.ne (i64.const 0) (local.tee $j (i64.sub (local.get $j) (i64.const 1))))))
                    (i64.add)
                    (br_if 0 (i64.lt_u (local.tee $i (i64.add (local.get $i) (i64.const 1))) (local.get $n))))
                (local.get $f)))"#,
        200_000,
    );
}

#[test]
fn vectors_calls_and_memory_in_the_loop() {
    once(
        r#"(module (memory 1)
            (func $add (param v128 i32) (result v128)
                (v128.store (i32.const 64) (local.get 0))
                (i32x4.add (v128.load (i32.const 64)) (i32x4.splat (local.get 1))))
            (func (export "run") (param $n i64) (result i64) (local $v v128) (local $f f32)
                (v128.const i32x4 1 2 3 4)
                (loop (param v128) (result v128)
                    (call $add (i32.wrap_i64 (local.get $n)))
                    (local.set $f (f32.add (local.get $f) (f32.const 1)))
                    (local.set $v (i32x4.add (local.get $v) (i32x4.splat (i32.const 3))))
                    (br_if 0 (i64.ne (i64.const 0) (local.tee $n (i64.sub (local.get $n) (i64.const 1))))))
                (i64.add (i64x2.extract_lane 0 (local.get $v)))
                (i64x2.extract_lane 1)
                (i64.add (i64.extend_i32_s (i32.trunc_f32_s (local.get $f))))))"#
            .replace("(i64.add (i64x2.extract_lane 0 (local.get $v)))\n", "(v128.xor (local.get $v))\n")
            .as_str(),
        100_000,
    );
}

#[test]
fn many_results_and_stack_arguments() {
    let params = "(param i64 i64 i64 i64 i64 i64 i64 i64 i64 i64)";
    let text = format!(
        r#"(module
            (func $wide {params} (result i64 i64 i64 i64 i64 i64 i64 i64 i64)
                (loop
                    (local.set 9 (i64.add (local.get 9) (local.get 8)))
                    (br_if 0 (i64.ne (i64.const 0) (local.tee 0 (i64.sub (local.get 0) (i64.const 1))))))
                (local.get 9) (local.get 8) (local.get 7) (local.get 6) (local.get 5)
                (local.get 4) (local.get 3) (local.get 2) (local.get 1))
            (func (export "run") (param i64) (result i64 i64 i64 i64 i64 i64 i64 i64 i64)
                (call $wide (local.get 0) (i64.const 1) (i64.const 2) (i64.const 3) (i64.const 4)
                    (i64.const 5) (i64.const 6) (i64.const 7) (i64.const 8) (i64.const 9))))"#
    );
    once(&text, 1_000_000);
}

#[test]
fn recursion_with_a_loop_in_every_frame() {
    once(
        r#"(module (func $run (export "run") (param $n i64) (result i64) (local $i i64) (local $sum i64)
            (local.set $i (local.get $n))
            (loop
                (local.set $sum (i64.add (local.get $sum) (local.get $i)))
                (if (i64.eq (local.get $i) (i64.const 3))
                    (then (local.set $sum (i64.add (local.get $sum)
                        (call $run (i64.div_s (local.get $n) (i64.const 2)))))))
                (br_if 0 (i64.gt_s (local.tee $i (i64.sub (local.get $i) (i64.const 1))) (i64.const 0))))
            (local.get $sum)))"#,
        100_000,
    );
}

#[test]
fn a_trap_behind_an_entry_names_the_function_and_the_place() {
    let text = r#"(module (func $inner (param i64) (drop (i64.div_u (i64.const 1) (local.get 0))))
        (func $outer (export "run") (param i64)
            (loop (call $inner (local.get 0)) (local.set 0 (i64.sub (local.get 0) (i64.const 1))) (br 0))))"#;
    let trace = |config: &Config| {
        let engine = Engine::new(config).unwrap();
        let (module, mut store, instance) = instantiate(&engine, text);
        let run = instance.get_typed_func::<i64, ()>(&mut store, "run").unwrap();
        let error = run.call(&mut store, 50_000).unwrap_err();
        assert_eq!(error.downcast_ref::<upshift::Trap>(), Some(&upshift::Trap::IntegerDivisionByZero));
        let frames = error.downcast_ref::<upshift::WasmBacktrace>().unwrap().frames();
        let frames: Vec<_> = frames.iter().map(|f| (f.func_name().map(str::to_string), f.module_offset())).collect();
        (frames, module.statistics().tiering.osr_entered)
    };
    let (frames, entered) = trace(&at_once());
    assert_eq!(frames, trace(Config::new().tier(upshift::TierChoice::Optimizing)).0);
    assert!(frames.len() == 2 && entered > 0);
}

#[test]
fn a_function_that_is_called_once_gets_no_ordinary_code() {
    let engine = Engine::new(&at_once()).unwrap();
    let text = r#"(module (func (export "run") (param i32)
        (loop (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))"#;
    let (module, mut store, instance) = instantiate(&engine, text);
    let run = instance.get_typed_func::<i32, ()>(&mut store, "run").unwrap();
    run.call(&mut store, 100_000).unwrap();
    let statistics = module.statistics();
    assert_eq!((statistics.osr.compiled, statistics.optimizing.compiled), (1, 0));
    let entries = module.osr_code(0);
    assert!(entries.len() == 1 && entries[0].osr.is_some() && entries[0].tier == Tier::Optimizing);
    // If it is called again and again after all, it does.
    (0..10).for_each(|_| run.call(&mut store, 1000).unwrap());
    assert_eq!(module.function_tier(0), Some(Tier::Optimizing));
}
