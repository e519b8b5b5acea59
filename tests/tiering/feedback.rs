//! What baseline code counts reaches the optimizing tier: calls that are hot are inlined, and give the same results.

use upshift::{Config, Engine, Tier};

use super::instantiate;

/// `run` calls `small` directly, and `one` or `two` through a table, mostly `one`.
const TEXT: &str = r#"(module
    (type $unary (func (param i32) (result i32)))
    (table 3 3 funcref)
    (elem (i32.const 0) $one $two $one)
    (func $small (type $unary) (i32.add (local.get 0) (i32.const 5)))
    (func $one (type $unary) (i32.mul (local.get 0) (i32.const 3)))
    (func $two (type $unary) (if (i32.eq (local.get 0) (i32.const 77)) (then (unreachable))) (i32.const 1000))
    (func $run (export "run") (param $n i32) (result i32) (local $sum i32)
        (loop
            (local.set $sum (i32.add (local.get $sum) (call $small (local.get $n))))
            (local.set $sum (i32.add (local.get $sum)
                (call_indirect (type $unary) (local.get $n)
                    (i32.eqz (i32.rem_u (local.get $n) (i32.const 97))))))
            (br_if 0 (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (local.get $sum)))"#;

fn expected(n: i32) -> i32 {
    (1..=n).fold(0_i32, |sum, n| {
        let called = if n % 97 == 0 { 1000 } else { n.wrapping_mul(3) };
        sum.wrapping_add(n + 5).wrapping_add(called)
    })
}

#[test]
fn hot_calls_are_inlined_and_right() {
    let mut sizes = Vec::new();
    for inlining in [true, false] {
        let mut config = Config::new();
        config.tiering_budget(5000).sync_tier_up(true).inlining(inlining);
        let engine = Engine::new(&config).unwrap();
        let (module, mut store, instance) = instantiate(&engine, TEXT);
        let run = instance.get_typed_func::<i32, i32>(&mut store, "run").unwrap();
        for round in 0..40 {
            assert_eq!(run.call(&mut store, 1000 + round).unwrap(), expected(1000 + round));
        }
        let index = module.functions().find(|function| function.name == Some("run")).unwrap().index;
        assert_eq!(module.function_tier(index), Some(Tier::Optimizing));
        sizes.push(module.code(index).unwrap().positions.len());
    }
    assert!(sizes[0] != sizes[1], "inlined or not, the code is the same: {sizes:?}");
}

#[test]
fn two_instances_share_one_profile() {
    let engine = Engine::new(Config::new().tiering_budget(5000).sync_tier_up(true)).unwrap();
    let (module, mut store, instance) = instantiate(&engine, TEXT);
    let (mut other_store, linker) = (upshift::Store::new(&engine, ()), upshift::Linker::new(&engine));
    let other = linker.instantiate(&mut other_store, &module).unwrap();
    let run = instance.get_typed_func::<i32, i32>(&mut store, "run").unwrap();
    let other_run = other.get_typed_func::<i32, i32>(&mut other_store, "run").unwrap();
    for round in 0..40 {
        assert_eq!(run.call(&mut store, 500 + round).unwrap(), expected(500 + round));
        assert_eq!(other_run.call(&mut other_store, 700 + round).unwrap(), expected(700 + round));
    }
    assert_eq!(module.statistics().tiering.failed, 0);
}
