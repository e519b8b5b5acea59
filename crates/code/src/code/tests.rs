//! The functions at an address, with and without inlined calls.

use std::sync::Arc;

use super::*;

const OUTER: DefinedFuncIndex = DefinedFuncIndex(7);
const MIDDLE: DefinedFuncIndex = DefinedFuncIndex(8);
const INNER: DefinedFuncIndex = DefinedFuncIndex(9);

/// Code of which the function has bytes 0 to 10, an inlined call 10 to 20, a call inlined in that 20 to 30, and the function
/// the rest.
fn inlining() -> CompiledCode {
    let position = |code_offset, wasm_offset| SourcePosition { code_offset, wasm_offset };
    let start = |code_offset, frame| FrameStart { code_offset, frame };
    let call = |parent, function, wasm_offset| InlinedCall { parent, function, wasm_offset };
    CompiledCode {
        bytes: vec![0xcc; 64],
        alignment: 16,
        positions: vec![
            position(0, SourcePosition::NONE),
            position(4, 100),
            position(10, 800),
            position(20, 900),
            position(30, 104),
        ],
        inlined: vec![call(0, MIDDLE, 102), call(1, INNER, 803)],
        frames: vec![start(10, 1), start(20, 2), start(30, 0)],
        ..CompiledCode::default()
    }
}

fn functions(code: &Code, at: usize) -> Vec<(DefinedFuncIndex, Option<u32>)> {
    code.active_functions(code.entry() as usize + at).map(|active| (active.function, active.offset)).collect()
}

fn add(compiled: CompiledCode, kind: CodeKind) -> Arc<Code> {
    CodeSpace::new(1 << 20).expect("there is memory").add(compiled, kind).expect("there is room")
}

fn function() -> CodeKind {
    CodeKind::Function { module: Weak::new(), function: OUTER, tier: Tier::Optimizing, osr: None, compile_nanos: 0 }
}

#[test]
fn inlined_functions_come_first() {
    let code = add(inlining(), function());
    assert_eq!(functions(&code, 1), [(OUTER, None)]);
    assert_eq!(functions(&code, 5), [(OUTER, Some(100))]);
    assert_eq!(functions(&code, 19), [(MIDDLE, Some(800)), (OUTER, Some(102))]);
    assert_eq!(functions(&code, 20), [(INNER, Some(900)), (MIDDLE, Some(803)), (OUTER, Some(102))]);
    assert_eq!(functions(&code, 63), [(OUTER, Some(104))]);
}

#[test]
fn without_inlining_there_is_one_and_in_stubs_none() {
    let plain = || CompiledCode { inlined: Vec::new(), frames: Vec::new(), ..inlining() };
    assert_eq!(functions(&add(plain(), function()), 12), [(OUTER, Some(800))]);
    assert_eq!(functions(&add(plain(), CodeKind::EntryStub), 12), []);
}
