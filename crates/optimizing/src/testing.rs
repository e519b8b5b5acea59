//! What the tests share: modules from text, compiled with the verifier on.

use std::ops::Range;

use abi::compiled::{CompiledCode, SourcePosition};
use abi::compiler::{Compiler, ModuleEnv, Request, Settings};
use abi::feedback::{FeedbackSource, FunctionFeedback, MAX_TARGETS, SiteFeedback};
use abi::layout::InstanceLayout;
use abi::memory::{MemoryPolicy, MemoryStyle};
use abi::trap::TrapReason;
use wasm::decode::code::BodyReader;
use wasm::decode::stream::decode_and_validate;
use wasm::features::Features;
use wasm::limits::Limits;
use wasm::ops::{Call, Control, Operator};
use wasm::types::DefinedFuncIndex;

use crate::OptimizingCompiler;

/// Settings for tests: the verifier is on.
pub(crate) const VERIFY: Settings = Settings {
    fuel: false,
    epoch_interruption: false,
    canonical_nans: false,
    spectre_guards: false,
    profile: false,
    verify: true,
};

/// Everything on.
pub(crate) const ALL: Settings = Settings {
    fuel: true,
    epoch_interruption: true,
    canonical_nans: true,
    spectre_guards: true,
    profile: true,
    verify: true,
};

/// Gives the environment of a module in the binary format to `work`; `None` if the module is not valid.
pub(crate) fn with_module<T>(
    bytes: &[u8],
    policy: MemoryPolicy,
    settings: Settings,
    work: impl FnOnce(&ModuleEnv<'_>) -> T,
) -> Option<T> {
    let info = decode_and_validate(bytes, &Features::SUPPORTED, &Limits::default(), 1).ok()?;
    let layout = InstanceLayout::new(&info);
    let memories: Vec<MemoryStyle> = info.memories.iter().map(|ty| policy.style(ty)).collect();
    Some(work(&ModuleEnv { info: &info, wire_bytes: bytes, layout: &layout, memories: &memories, settings }))
}

/// Compiles every function of a module in the binary format; `None` if the module is not valid.
pub(crate) fn compile_binary(
    compiler: &OptimizingCompiler,
    bytes: &[u8],
    policy: MemoryPolicy,
    settings: Settings,
) -> Option<Vec<CompiledCode>> {
    with_module(bytes, policy, settings, |module| {
        let compile = |(index, range): (usize, &Range<usize>)| {
            let code =
                compiler.compile(&Request::new(module, DefinedFuncIndex::new(index))).unwrap_or_else(|e| panic!("{e}"));
            check(&code, range);
            code
        };
        module.info.bodies.iter().enumerate().map(compile).collect()
    })
}

/// Compiles an OSR entry for every loop of a module in the binary format that can be reached.
pub(crate) fn compile_loops(
    compiler: &OptimizingCompiler,
    bytes: &[u8],
    policy: MemoryPolicy,
    settings: Settings,
) -> Option<Vec<CompiledCode>> {
    with_module(bytes, policy, settings, |module| {
        let mut codes = Vec::new();
        for (index, range) in module.info.bodies.iter().enumerate() {
            let request = Request::new(module, DefinedFuncIndex::new(index));
            for at in loops(&request) {
                match compiler.compile(&Request { osr: Some(at), ..request }) {
                    Ok(code) => {
                        check(&code, range);
                        codes.push(code);
                    }
                    Err(error) => assert!(error.message.contains("no loop"), "{error}"),
                }
            }
        }
        codes
    })
}

/// Feedback that claims of every call that it is hot, and of every indirect call that it reaches the first functions that
/// have references, whether they are of the type or not.
pub(crate) struct AllHot<'a> {
    pub(crate) module: &'a ModuleEnv<'a>,
    /// Executions of each call.
    pub(crate) count: u32,
    /// From which function on targets are claimed.
    pub(crate) first_target: usize,
}

impl FeedbackSource for AllHot<'_> {
    fn feedback(&self, function: DefinedFuncIndex) -> Option<FunctionFeedback> {
        let body = self.module.body(function);
        let mut reader = BodyReader::new(body.bytes, body.offset);
        reader.locals().expect("the body is valid");
        let mut feedback = FunctionFeedback::default();
        while let Some((operator, at)) = reader.next_operator().expect("the body is valid") {
            let Operator::Call(call) = operator else { continue };
            let mut targets = [None; MAX_TARGETS];
            if matches!(call, Call::CallIndirect { .. } | Call::CallRef(_)) {
                let functions = self.module.info.escaped_functions.iter().skip(self.first_target);
                for (slot, &function) in targets.iter_mut().zip(functions) {
                    *slot = Some((function, self.count / 4));
                }
            }
            feedback.sites.push(SiteFeedback { wasm_offset: at as u32, count: self.count, targets });
        }
        Some(feedback)
    }
}

/// Compiles every function of a module in the binary format, and every loop that can be reached as an OSR entry, with all
/// inlined that can be.
pub(crate) fn compile_inlined(
    compiler: &OptimizingCompiler,
    bytes: &[u8],
    policy: MemoryPolicy,
    settings: Settings,
    first_target: usize,
) -> Option<Vec<CompiledCode>> {
    with_module(bytes, policy, settings, |module| {
        let feedback = AllHot { module, count: 1 << 30, first_target };
        let mut codes = Vec::new();
        for (index, range) in module.info.bodies.iter().enumerate() {
            let request = Request { feedback: Some(&feedback), ..Request::new(module, DefinedFuncIndex::new(index)) };
            let entries = loops(&request).into_iter().map(Some);
            for osr in [None].into_iter().chain(entries) {
                match compiler.compile(&Request { osr, ..request }) {
                    Ok(code) => {
                        check_frames(&code, module, range);
                        codes.push(code);
                    }
                    Err(error) => assert!(error.message.contains("no loop"), "{error}"),
                }
            }
        }
        codes
    })
}

/// The offsets of a function's `loop` operators.
fn loops(request: &Request<'_>) -> Vec<u32> {
    let mut reader = BodyReader::new(request.body.bytes, request.body.offset);
    reader.locals().expect("the body is valid");
    let mut loops = Vec::new();
    while let Some((operator, at)) = reader.next_operator().expect("the body is valid") {
        if matches!(operator, Operator::Control(Control::Loop(_))) {
            loops.push(at as u32);
        }
    }
    loops
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

/// Checks what holds for all code with nothing inlined.
fn check(code: &CompiledCode, body: &Range<usize>) {
    check_tables(code);
    assert!(code.inlined.is_empty() && code.frames.is_empty());
    for position in &code.positions {
        let offset = position.wasm_offset;
        assert!(offset == SourcePosition::NONE || body.contains(&(offset as usize)));
    }
}

/// Checks what holds for all code.
fn check_tables(code: &CompiledCode) {
    assert!(!code.bytes.is_empty());
    assert!(code.alignment.is_power_of_two());
    assert!(code.frame_size >= 16);
    assert!(code.traps.is_sorted_by(|a, b| a.offset < b.offset), "{:?}", code.traps);
    assert!(code.positions.is_sorted_by(|a, b| a.code_offset < b.code_offset));
    assert!(code.traps.iter().all(|site| (site.offset as usize) < code.bytes.len()));
}

/// Checks that every position lies in the body of the frame it belongs to, and every call in that of its caller.
fn check_frames(code: &CompiledCode, module: &ModuleEnv<'_>, body: &Range<usize>) {
    check_tables(code);
    assert!(code.frames.is_sorted_by(|a, b| a.code_offset < b.code_offset && a.frame != b.frame));
    let body_of = |frame: u32| match frame.checked_sub(1) {
        None => body,
        Some(call) => &module.info.bodies[code.inlined[call as usize].function.index()],
    };
    for (call, inlined) in code.inlined.iter().enumerate() {
        assert!(inlined.parent as usize <= call);
        assert!(body_of(inlined.parent).contains(&(inlined.wasm_offset as usize)));
    }
    for position in &code.positions {
        let after = code.frames.partition_point(|start| start.code_offset <= position.code_offset);
        let frame = after.checked_sub(1).map_or(0, |at| code.frames[at].frame);
        let offset = position.wasm_offset;
        assert!(offset == SourcePosition::NONE || body_of(frame).contains(&(offset as usize)), "{position:?} {frame}");
    }
}
