//! What the tests share: modules from text, compiled with the verifier on.

use abi::compiled::CompiledCode;
use abi::compiler::{Compiler, FunctionBody, ModuleEnv, Settings};
use abi::layout::InstanceLayout;
use abi::memory::{MemoryPolicy, MemoryStyle};
use abi::trap::TrapReason;
use wasm::decode::stream::decode_and_validate;
use wasm::features::Features;
use wasm::limits::Limits;
use wasm::types::DefinedFuncIndex;

use crate::OptimizingCompiler;

/// Settings for tests: the verifier is on.
pub(crate) const VERIFY: Settings =
    Settings { fuel: false, epoch_interruption: false, canonical_nans: false, spectre_guards: false, verify: true };

/// Everything on.
pub(crate) const ALL: Settings =
    Settings { fuel: true, epoch_interruption: true, canonical_nans: true, spectre_guards: true, verify: true };

/// Compiles every function of a module in the binary format; `None` if the module is not valid.
pub(crate) fn compile_binary(
    compiler: &OptimizingCompiler,
    bytes: &[u8],
    policy: MemoryPolicy,
    settings: Settings,
) -> Option<Vec<CompiledCode>> {
    let info = decode_and_validate(bytes, &Features::SUPPORTED, &Limits::default(), 1).ok()?;
    let layout = InstanceLayout::new(&info);
    let memories: Vec<MemoryStyle> = info.memories.iter().map(|ty| policy.style(ty)).collect();
    let module = ModuleEnv { info: &info, layout: &layout, memories: &memories, settings };
    let compile = |(index, range): (usize, &std::ops::Range<usize>)| {
        let body = FunctionBody { bytes: &bytes[range.clone()], offset: range.start };
        let code = compiler.compile(&module, DefinedFuncIndex::new(index), body).unwrap_or_else(|e| panic!("{e}"));
        check(&code, range);
        code
    };
    Some(info.bodies.iter().enumerate().map(compile).collect())
}

/// Compiles every function of a module in the text format.
pub(crate) fn compile_text(text: &str, settings: Settings) -> Vec<CompiledCode> {
    let compiler = OptimizingCompiler::new().expect("tests run on a supported machine");
    let bytes = wat::parse_str(text).expect("the test's text is right");
    compile_binary(&compiler, &bytes, MemoryPolicy::default(), settings).expect("the test's module is valid")
}

/// Compiles a module, in the text format, of one function.
pub(crate) fn compile_one(text: &str, settings: Settings) -> CompiledCode {
    compile_text(text, settings).pop().expect("the test's module has a function")
}

/// The reasons for which code may trap, without the stack check, each once.
pub(crate) fn reasons(code: &CompiledCode) -> Vec<TrapReason> {
    let mut reasons: Vec<TrapReason> = code.traps.iter().map(|site| site.reason).collect();
    reasons.retain(|&reason| reason != TrapReason::StackOverflow);
    reasons.sort_by_key(|&reason| reason as u8);
    reasons.dedup();
    reasons
}

/// Checks what holds for all code.
fn check(code: &CompiledCode, body: &std::ops::Range<usize>) {
    assert!(!code.bytes.is_empty());
    assert!(code.alignment.is_power_of_two());
    assert!(code.frame_size >= 16);
    assert!(code.traps.is_sorted_by(|a, b| a.offset < b.offset), "{:?}", code.traps);
    assert!(code.positions.is_sorted_by(|a, b| a.code_offset < b.code_offset));
    assert!(code.traps.iter().all(|site| (site.offset as usize) < code.bytes.len()));
    for position in &code.positions {
        let offset = position.wasm_offset;
        assert!(offset == abi::compiled::SourcePosition::NONE || body.contains(&(offset as usize)));
    }
}
