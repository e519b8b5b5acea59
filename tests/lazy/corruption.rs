//! Bodies cut short or changed at random.

use upshift::{Config, Engine, Instance, Module, Store, StoreLimits, StoreLimitsBuilder, Strategy, Val};

use super::fault;
use crate::random::Random;

/// A module of functions with many kinds of operators. `f5` calls `f1` and `f2` calls `f4`; each is exported.
const TEXT: &str = r#"(module
    (memory 1 2) (table 4 funcref) (global $g (mut i64) (i64.const 3))
    (elem (i32.const 0) $f0 $f1 $f3)
    (type $unary (func (param i32) (result i32)))
    (func $f0 (export "f0") (type $unary) (local i64 f64)
        (local.set 1 (i64.extend_i32_s (local.get 0)))
        (block (loop (br_if 1 (i64.eqz (local.get 1)))
            (local.set 1 (i64.shr_u (local.get 1) (i64.const 1)))
            (local.set 2 (f64.add (local.get 2) (f64.const 0.5)))
            (br 0)))
        (i32.trunc_sat_f64_s (local.get 2)))
    (func $f1 (export "f1") (type $unary)
        (block $a (block $b (block $c (br_table $a $b $c (local.get 0))) (return (i32.const 10))) (return (i32.const 20)))
        (i32.load offset=4 (i32.and (local.get 0) (i32.const 1023))))
    (func $f2 (export "f2") (type $unary) (local v128)
        (local.set 1 (i32x4.splat (call $f4 (local.get 0))))
        (i32x4.extract_lane 2 (i32x4.add (local.get 1) (v128.const i32x4 1 2 3 4))))
    (func $f3 (export "f3") (type $unary)
        (i64.store (i32.const 8) (i64.add (i64.load (i32.const 8)) (global.get $g)))
        (global.set $g (i64.mul (global.get $g) (i64.const 3)))
        (memory.fill (i32.const 100) (local.get 0) (i32.const 20))
        (select (i32.const 1) (i32.load8_u (i32.const 105)) (local.get 0)))
    (func $f4 (export "f4") (type $unary)
        (if (result i32) (local.get 0)
            (then (i32.div_s (i32.const 1000) (local.get 0)))
            (else (unreachable))))
    (func $f5 (export "f5") (type $unary)
        (call_indirect (type $unary) (local.get 0) (i32.const 1)))
    (func $f6 (export "f6") (type $unary) (i32.const 6)))"#;

const FUNCTIONS: usize = 7;

/// Every way in which a function may come to be compiled.
fn configurations() -> Vec<Config> {
    let mut all = Vec::new();
    for strategy in [Strategy::Lazy, Strategy::Eager, Strategy::Hybrid] {
        let mut config = Config::new();
        config.lazy_validation(true).strategy(strategy).consume_fuel(true).threads(2);
        all.push(config.clone());
        all.push(config.tiering_budget(1).sync_tier_up(true).clone());
    }
    let mut tiny = Config::new();
    tiny.lazy_validation(true).consume_fuel(true).max_code_bytes(Some(1)).code_gc_stress(true);
    all.push(tiny);
    all
}

/// What the calls of every function give: results, traps, and the texts of errors.
fn run(engine: &Engine, module: &Module) -> Vec<String> {
    let limits = StoreLimitsBuilder::new().memory_size(1 << 20).table_elements(1000).build();
    let mut store: Store<StoreLimits> = Store::new(engine, limits);
    store.limiter(|limits| limits);
    store.set_fuel(1000).unwrap();
    let instance = Instance::new(&mut store, module, &[]).unwrap();
    let mut seen = Vec::new();
    for round in 0..3 {
        for function in 0..FUNCTIONS {
            let function = instance.get_func(&mut store, &format!("f{function}")).unwrap();
            let mut results = [Val::I32(0)];
            store.set_fuel(1000).unwrap();
            seen.push(match function.call(&mut store, &[Val::I32(round)], &mut results) {
                Ok(()) => format!("{:?}", results[0]),
                Err(error) => error.root_cause().to_string(),
            });
        }
    }
    seen
}

/// The bodies' places in the module.
fn bodies(module: &Module) -> Vec<(usize, usize)> {
    module.functions().map(|function| (function.offset, function.len)).collect()
}

/// Compares a module with a bad body to what a validator says of it, and to what the good functions did before.
fn check(bytes: &[u8], bad: usize, good: &[String]) {
    let validator = Engine::default();
    let Err(whole) = Module::validate(&validator, bytes) else {
        // Valid still: lazily validated or not, it does the same.
        let plain = Engine::new(Config::new().consume_fuel(true)).unwrap();
        let expected = run(&plain, &Module::from_binary(&plain, bytes).unwrap());
        for config in configurations() {
            let engine = Engine::new(&config).unwrap();
            assert_eq!(run(&engine, &Module::from_binary(&engine, bytes).unwrap()), expected);
        }
        return;
    };
    let expected = fault(&whole);
    assert!(expected.0.contains(&format!("f{bad}")) && expected.1.is_some(), "{expected:?}");
    for config in configurations() {
        let engine = Engine::new(&config).unwrap();
        let module = Module::from_binary(&engine, bytes).unwrap_or_else(|error| panic!("{error:#}"));
        let seen = run(&engine, &module);
        for (call, outcome) in seen.iter().enumerate() {
            let function = call % FUNCTIONS;
            // The functions whose results depend on the bad one.
            let depends = matches!((function, bad), (5, 1) | (2, 4)) || bad == 3 && function == 1;
            if function == bad {
                assert_eq!(*outcome, expected.0, "call {call}");
            } else if !depends {
                assert_eq!(*outcome, good[call], "call {call} of f{function}, f{bad} is bad");
            }
        }
        let again = module.compile_function(bad as u32).unwrap_err();
        assert_eq!(fault(&again), expected);
        assert_eq!(module.function_tier(bad as u32), None);
    }
}

#[test]
fn corrupt_bodies_fail_at_their_calls_as_a_validator_says() {
    let mut bytes = wat::parse_str(TEXT).unwrap();
    let engine = Engine::new(Config::new().consume_fuel(true)).unwrap();
    let module = Module::from_binary(&engine, &bytes).unwrap();
    let good = run(&engine, &module);
    let mut random = Random::new(7);
    for (bad, &(start, len)) in bodies(&module).iter().enumerate().take(FUNCTIONS - 1) {
        // Every instruction's end goes missing once: what follows is more of the same body.
        for cut in (0..len).step_by(7).chain([len - 1]) {
            let mut changed = bytes.clone();
            // The rest of the body is `end`s, which are too many; the last byte may be none at all.
            changed[start + cut..start + len].fill(0x0b);
            if cut == len - 1 {
                changed[start + cut] = 0x01;
            }
            check(&changed, bad, &good);
        }
        for _ in 0..8 {
            let at = start + random.below(len);
            let before = bytes[at];
            bytes[at] = random.below(256) as u8;
            check(&bytes, bad, &good);
            bytes[at] = before;
        }
    }
}
