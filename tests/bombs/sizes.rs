//! Limits of modules, at them and past them; and modules of very many functions.

use upshift::{CompileError, CompileErrorKind, Config, Engine, Module, Strategy, TierChoice};

use super::Program;
use super::bytes::*;

/// Most bytes of a body, locals of a function, entries of a table of branches, parameters and results.
const BODY: usize = 7_654_321;
const LOCALS: usize = 50_000;
const TARGETS: usize = 65_520;
const VALUES: usize = 1_000;

fn nothing() -> Vec<Vec<u8>> {
    vec![function_type(&[], &[])]
}

/// A body of exactly so many bytes.
fn body_of(len: usize) -> Vec<u8> {
    // An empty list of locals and the end take a byte each.
    module(&nothing(), &[], &vec![0x01; len - 2])
}

fn table_of(targets: usize) -> Vec<u8> {
    module(&nothing(), &[], &[constant(0), br_table(&vec![0; targets + 1])].concat())
}

fn signature_of(values: usize) -> Vec<u8> {
    let code = each(values, get);
    module(&[function_type(&vec![I32; values], &vec![I32; values])], &[], &code)
}

#[test]
fn what_is_past_a_limit_is_an_error_in_every_configuration() {
    let cases = [
        ("bytes of a body", body_of(BODY), body_of(BODY + 1)),
        ("locals", module(&nothing(), &[(LOCALS, I32)], &[]), module(&nothing(), &[(LOCALS + 1, I32)], &[])),
        ("vectors", module(&nothing(), &[(LOCALS, V128)], &[]), module(&nothing(), &[(100_000, V128)], &[])),
        (
            "groups of locals",
            module(&nothing(), &[(1, I32); LOCALS], &[]),
            module(&nothing(), &[(1, I32); 50_001], &[]),
        ),
        ("targets", table_of(TARGETS), table_of(1_000_000)),
        ("parameters and results", signature_of(VALUES), signature_of(VALUES + 1)),
    ];
    for tier in TierChoice::ALL {
        for strategy in [Strategy::Lazy, Strategy::Eager] {
            for lazy in [false, true] {
                let mut config = Config::new();
                config.tier(*tier).strategy(strategy).lazy_validation(lazy).threads(1);
                for (what, good, bad) in &cases {
                    if *tier == TierChoice::Optimizing && (good.len() > 1 << 20 || *what == "targets") {
                        // Slow in a build without optimizations, and no different.
                        continue;
                    }
                    let mut program = Program::new(&config, good);
                    program.run(5).unwrap_or_else(|error| panic!("{what}: {error:#}"));
                    let engine = Engine::new(&config).unwrap();
                    let error = match Module::from_binary(&engine, bad) {
                        Err(error) => error,
                        Ok(_) => {
                            assert!(lazy, "{what}");
                            Program::new(&config, bad).run(5).unwrap_err()
                        }
                    };
                    let whole = Module::validate(&engine, bad).unwrap_err();
                    let (error, whole) = (error.downcast_ref::<CompileError>(), whole.downcast_ref::<CompileError>());
                    let (error, whole) = (error.unwrap(), whole.unwrap());
                    assert_eq!(error.kind(), CompileErrorKind::Limit, "{what}: {error}");
                    assert_eq!((error.to_string(), error.offset()), (whole.to_string(), whole.offset()), "{what}");
                }
            }
        }
    }
}

#[test]
fn many_empty_functions() {
    const COUNT: usize = 119_000;
    let mut builder = Builder::new(&nothing());
    for _ in 0..COUNT {
        builder = builder.function(0, &[], &[]);
    }
    // The last function calls all others, one by one.
    let bytes = builder.function(0, &[], &each(COUNT, call)).finish();
    for strategy in [Strategy::Lazy, Strategy::Eager] {
        let mut program = Program::new(Config::new().strategy(strategy), &bytes);
        (0..2).for_each(|_| assert_eq!(program.run(0).unwrap(), [""; 0]));
        let statistics = program.module.statistics();
        assert_eq!((statistics.functions, statistics.compiled), (COUNT + 1, COUNT + 1));
        // Aligned, each function takes a few dozen bytes of code, and one allocation for the rest.
        assert!(statistics.code_bytes < COUNT * 80, "{statistics:?}");
        assert!(statistics.metadata_bytes < COUNT * 80 + bytes.len() * 8, "{statistics:?}");
    }
}

#[test]
fn many_functions_under_a_tiny_ceiling() {
    const COUNT: usize = 1_500;
    let mut builder = Builder::new(&[function_type(&[I32], &[I32])]);
    for index in 0..COUNT {
        builder = builder.function(0, &[], &[get(0), constant(index % 7), I32_ADD.to_vec()].concat());
    }
    let bytes = builder.function(0, &[], &[get(0), each(COUNT, call)].concat()).finish();
    let expected: usize = (0..COUNT).map(|index| index % 7).sum();
    for ceiling in [1, 100_000] {
        let mut program = Program::new(Config::new().max_code_bytes(Some(ceiling)), &bytes);
        (0..2).for_each(|_| assert_eq!(program.run(1).unwrap(), [format!("I32({})", expected + 1)]));
        let statistics = program.module.statistics();
        assert!(statistics.tiering.flushed > 0, "{statistics:?}");
        // The caller's own code cannot go while it runs.
        let caller = program.module.code(COUNT as u32).map_or(0, |code| code.bytes.len());
        program.module.engine().collect_code();
        let left = program.module.statistics().code_bytes;
        assert!(left <= caller + ceiling + 100_000, "{left} bytes, {caller} of them the caller's");
    }
}

#[test]
fn small_functions_of_many_locals() {
    // Six bytes each; 400 KB of frame.
    let mut builder = Builder::new(&nothing());
    for _ in 0..200 {
        builder = builder.function(0, &[(LOCALS, I64)], &[]);
    }
    let bytes = builder.function(0, &[], &each(200, call)).finish();
    let mut program = Program::new(Config::new().strategy(Strategy::Eager), &bytes);
    program.run(0).unwrap();
    assert!(program.module.statistics().code_bytes < 200 * 120 + 10_000, "clearing locals is a loop");
}

#[test]
fn code_past_the_limit_of_a_function_is_an_error() {
    // Two bytes of body make some twenty thousand of code.
    let same = function_type(&[I32; 1000], &[I32; 1000]);
    let moves = [times(1000, &[&constant(0)]), times(12_000, &[&call(0)]), times(1000, &[DROP])].concat();
    let bytes = Builder::new(&[nothing().concat(), same]).function(1, &[], &each(1000, get)).function(0, &[], &moves);
    let bytes = bytes.finish();
    let mut program = Program::new(Config::new().tier(TierChoice::Baseline), &bytes);
    let error = program.run(0).unwrap_err();
    let error = error.downcast_ref::<CompileError>().unwrap();
    assert_eq!(error.kind(), CompileErrorKind::Compile);
    assert!(error.to_string().contains("too long"), "{error}");
    // What the thread keeps for the next function is as new.
    Program::new(&Config::new(), &table_of(10)).run(0).unwrap();
}
