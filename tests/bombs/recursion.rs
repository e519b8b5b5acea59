//! The end of the stack, met in every tier: in calls, in loops, on the way from one tier to another, with frames of all
//! sizes.

use upshift::{Config, Tier, TierChoice, Trap};

use super::Program;
use super::bytes::*;

/// Is it the trap for a stack that is used up?
fn overflows(program: &mut Program, argument: i32) {
    let error = program.run(argument).unwrap_err();
    assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::StackOverflow), "{error:#}");
}

/// Configurations that end up in different tiers, or on the way.
fn configurations() -> [Config; 5] {
    let mut all = [(); 5].map(|()| Config::new());
    all[0].tier(TierChoice::Baseline);
    all[1].tier(TierChoice::Optimizing);
    all[2].tiering_budget(1).sync_tier_up(true);
    all[3].tiering_budget(300).sync_tier_up(true).inlining(false);
    all[4].tiering_budget(2000);
    all
}

/// A function of so many locals that runs a loop, and in it calls itself until its parameter is 0, which it never is if
/// it starts below.
fn recursion(locals: usize, ty: u8) -> Vec<u8> {
    let body = [
        set(1),
        looped(EMPTY),
        get(1),
        constant(1),
        vec![0x6b],
        tee(1),
        br_if(0),
        get(0),
        branch(EMPTY),
        get(0),
        constant(1),
        vec![0x6b],
        call(0),
        get(2),
        I32_ADD.to_vec(),
        set(2),
        END.to_vec(),
        END.to_vec(),
        get(2),
        constant(1),
        I32_ADD.to_vec(),
    ];
    let code = [constant(20), body.concat()].concat();
    module(&[function_type(&[I32], &[I32])], &[(2, I32), (locals, ty)], &code)
}

#[test]
fn recursion_without_end_traps_in_every_tier() {
    for (locals, ty) in [(0, I32), (130, I64), (600, V128), (50_000 - 3, V128)] {
        let bytes = recursion(locals, ty);
        for config in configurations() {
            let mut program = Program::new(&config, &bytes);
            for _ in 0..2 {
                overflows(&mut program, -1);
                // The store can be used as before, up to the same depth.
                if locals < 50_000 - 3 {
                    assert_eq!(program.run(20).unwrap(), ["I32(21)"]);
                }
            }
        }
    }
}

#[test]
fn recursion_moves_up_and_overflows_in_optimized_code() {
    let mut config = Config::new();
    let mut program = Program::new(config.tiering_budget(1).sync_tier_up(true), &recursion(10, I64));
    overflows(&mut program, -1);
    overflows(&mut program, -1);
    assert_eq!(program.module.function_tier(0), Some(Tier::Optimizing));
    assert_eq!(program.run(50).unwrap(), ["I32(51)"]);
}

/// Frames that fit the stack once, and frames that never fit. Where exactly the limit is, the host's frames decide.
#[test]
fn frames_near_the_limit_of_the_stack() {
    for stack in [64 << 10, 256 << 10, 1 << 20] {
        for bytes_of_locals in [stack / 2, stack - 8192, stack - 512, stack, stack * 2, 780_000] {
            let locals = (bytes_of_locals / 16).min(49_990);
            let frame = locals * 16;
            // All are set, and some read, so that no tier can leave them out.
            let code = [
                each(locals / 100, |local| [get(0), vec![0xfd, 0x11], set(1 + local * 100)].concat()),
                get(1 + (locals / 100 - 1) * 100),
                vec![0xfd, 0x1b, 3],
            ];
            let bytes = module(&[function_type(&[I32], &[I32])], &[(locals, V128)], &code.concat());
            for tier in [TierChoice::Baseline, TierChoice::Auto] {
                let mut program = Program::new(Config::new().tier(tier).max_wasm_stack(stack), &bytes);
                for _ in 0..2 {
                    match program.run(7) {
                        Ok(results) => {
                            assert_eq!(results, ["I32(7)"]);
                            assert!(frame < stack + 4096, "{frame} bytes in {stack}");
                        }
                        Err(error) => {
                            assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::StackOverflow));
                            assert!(frame > stack - 4096, "{frame} bytes in {stack}");
                        }
                    }
                }
            }
        }
    }
}

/// Calls with a thousand stack arguments and a thousand results in a buffer, down to the end of the stack.
#[test]
fn wide_calls_overflow() {
    let ty = function_type(&[I32; 1000], &[I32; 1000]);
    let all = each(1000, get);
    let go_on = [get(0), branch(EMPTY), get(0), constant(1), vec![0x6b], each(999, |index| get(index + 1))];
    let code = [go_on.concat(), call(0), vec![0x0f], END.to_vec(), all].concat();
    let bytes = module(&[ty], &[], &code);
    for config in configurations() {
        let mut program = Program::new(&config, &bytes);
        for _ in 0..2 {
            overflows(&mut program, -1);
            assert_eq!(program.run(3).unwrap()[..2], ["I32(0)", "I32(3)"]);
        }
    }
}

#[test]
fn offsets_of_64_bits_never_reach_beyond_a_memory() {
    for offset in [65_529, 65_536, 1 << 31, (1 << 32) - 8, 1 << 32, 1 << 33, 1 << 40, 1 << 63, u64::MAX - 7, u64::MAX] {
        // The index is what the parameter says, as a signed number of 64 bits: small, or almost 2^64.
        let index = [get(0), vec![0xac]].concat();
        let load = [index.clone(), access(0x29, 3, offset), vec![0xa7]].concat();
        let store = [index.clone(), vec![0x42, 1], access(0x37, 3, offset)].concat();
        let vector = [index, access_vector(offset), DROP.to_vec()].concat();
        let types = [function_type(&[I32], &[I32])];
        for code in [load, [store, constant(0)].concat(), [vector, constant(0)].concat()] {
            let bytes = Builder::new(&types).memory64().function(0, &[], &code).finish();
            for config in configurations() {
                for guards in [true, false] {
                    let mut program = Program::new(config.clone().guard_pages(guards), &bytes);
                    for argument in [0, 1, -1, -8, i32::MAX, i32::MIN] {
                        for _ in 0..3 {
                            let error = program.run(argument).unwrap_err();
                            let trap = error.downcast_ref::<Trap>();
                            assert_eq!(trap, Some(&Trap::MemoryOutOfBounds), "{argument} + {offset}");
                        }
                    }
                }
            }
        }
    }
}

/// `v128.load`
fn access_vector(offset: u64) -> Vec<u8> {
    let mut bytes = vec![0xfd];
    bytes.extend(access(0x00, 4, offset));
    bytes
}
