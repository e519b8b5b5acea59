//! Backtraces through inlined calls: every function is named, with the offset it has in the baseline tier.

use upshift::{Config, Engine, Instance, Store, TierChoice, WasmBacktrace};

use super::instantiate;

/// Each export runs hot calls for `n` turns, then one that traps. The loads are such that the machine could do them within
/// the instruction that uses their value, which belongs to another function.
const TEXT: &str = r#"(module
    (memory 1)
    (func $load (param i32) (result i32) (i32.load (local.get 0)))
    (func $store (param i32 i32) (i32.store (local.get 0) (local.get 1)))
    (func $next (param i32) (result i32) (i32.add (call $load (local.get 0)) (i32.const 1)))
    (func $increment (param i32)
        (call $store (local.get 0) (i32.add (call $load (local.get 0)) (i32.const 1))))
    (func $same (param i32) (result i32) (i32.eq (local.get 0) (call $load (local.get 0))))
    (func $add (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
    (func $outer (param i32) (result i32) (call $add (i32.const 3) (i32.load (local.get 0))))
    (func (export "next") (param $n i32) (param $last i32)
        (loop
            (drop (call $next (select (local.get $n) (local.get $last) (local.get $n))))
            (br_if 0 (i32.ge_s (local.tee $n (i32.sub (local.get $n) (i32.const 1))) (i32.const 0)))))
    (func (export "increment") (param $n i32) (param $last i32)
        (loop
            (call $increment (select (local.get $n) (local.get $last) (local.get $n)))
            (br_if 0 (i32.ge_s (local.tee $n (i32.sub (local.get $n) (i32.const 1))) (i32.const 0)))))
    (func (export "same") (param $n i32) (param $last i32)
        (loop
            (drop (call $same (select (local.get $n) (local.get $last) (local.get $n))))
            (br_if 0 (i32.ge_s (local.tee $n (i32.sub (local.get $n) (i32.const 1))) (i32.const 0)))))
    (func (export "outer") (param $n i32) (param $last i32)
        (loop
            (drop (call $outer (select (local.get $n) (local.get $last) (local.get $n))))
            (br_if 0 (i32.ge_s (local.tee $n (i32.sub (local.get $n) (i32.const 1))) (i32.const 0))))))"#;

/// Function and offset of every frame of the trap.
fn frames(store: &mut Store<()>, instance: Instance, export: &str, n: i32) -> Vec<(u32, Option<usize>)> {
    let function = instance.get_typed_func::<(i32, i32), ()>(&mut *store, export).unwrap();
    // In bounds up to the last turn.
    let error = function.call(&mut *store, (n, -4)).unwrap_err();
    let backtrace = error.downcast_ref::<WasmBacktrace>().unwrap();
    backtrace.frames().iter().map(|frame| (frame.func_index(), frame.module_offset())).collect()
}

#[test]
fn inlined_functions_are_named_with_their_offsets() {
    for export in ["next", "increment", "same", "outer"] {
        let engine = Engine::new(Config::new().tier(TierChoice::Baseline)).unwrap();
        let (_, mut store, instance) = instantiate(&engine, TEXT);
        let expected = frames(&mut store, instance, export, 20_000);
        assert!(expected.len() >= 2 && expected.iter().all(|(_, offset)| offset.is_some()), "{expected:?}");
        let engine = Engine::new(Config::new().tiering_budget(5000).sync_tier_up(true)).unwrap();
        let (module, mut store, instance) = instantiate(&engine, TEXT);
        for _ in 0..4 {
            assert_eq!(frames(&mut store, instance, export, 20_000), expected, "{export}");
        }
        let statistics = module.statistics();
        assert!(statistics.optimizing.compiled + statistics.osr.compiled > 0, "{export} stayed in the baseline tier");
    }
}
