//! What the tests share: modules from text, compiled, as text again.

use abi::compiled::CompiledCode;
use abi::compiler::{CompileError, Compiler, ModuleEnv, Request, Settings};
use abi::layout::InstanceLayout;
use abi::memory::{MemoryPolicy, MemoryStyle};
use iced_x86::{Decoder, DecoderOptions};
use wasm::decode::stream::decode_and_validate;
use wasm::limits::Limits;
use wasm::types::DefinedFuncIndex;

use crate::{BaselineCompiler, Features};

/// Everything that changes code, on.
pub(crate) const ALL: Settings = Settings {
    fuel: true,
    epoch_interruption: true,
    canonical_nans: true,
    spectre_guards: true,
    profile: true,
    verify: true,
};

/// Compiles every function of a module in the text format.
pub(crate) fn compile(text: &str, settings: Settings, features: Features) -> Vec<CompiledCode> {
    let bytes = wat::parse_str(text).expect("the test's text is right");
    compile_binary(&bytes, settings, features)
}

/// Compiles every function of a module in the binary format.
pub(crate) fn compile_binary(bytes: &[u8], settings: Settings, features: Features) -> Vec<CompiledCode> {
    let codes = try_compile(bytes, settings, features).expect("the test's module is valid");
    codes.into_iter().map(|code| code.unwrap_or_else(|error| panic!("{error}"))).collect()
}

/// Compiles every function of a module in the binary format; `None` if the module is not valid.
pub(crate) fn try_compile(
    bytes: &[u8],
    settings: Settings,
    features: Features,
) -> Option<Vec<Result<CompiledCode, CompileError>>> {
    let info = decode_and_validate(bytes, &wasm::features::Features::SUPPORTED, &Limits::default(), 1).ok()?;
    let layout = InstanceLayout::new(&info);
    let memories: Vec<MemoryStyle> = info.memories.iter().map(|ty| MemoryPolicy::default().style(ty)).collect();
    let module = ModuleEnv { info: &info, wire_bytes: bytes, layout: &layout, memories: &memories, settings };
    let compiler = BaselineCompiler::new(features);
    let compile = |index| {
        let code = compiler.compile(&Request::new(&module, DefinedFuncIndex::new(index)))?;
        check_tables(&code);
        Ok(code)
    };
    Some((0..info.bodies.len()).map(compile).collect())
}

/// Tables are sorted and name places inside the code; what may trap starts an instruction.
fn check_tables(code: &CompiledCode) {
    let len = code.bytes.len() as u32;
    assert!(code.traps.iter().all(|site| site.offset < len));
    assert!(code.traps.is_sorted_by(|a, b| a.offset < b.offset));
    assert!(code.positions.is_sorted_by(|a, b| a.code_offset < b.code_offset));
    assert!(code.profile.sites.is_sorted_by(|a, b| a.wasm_offset < b.wasm_offset));
    assert!(code.profile.fixups.iter().all(|&at| at + 4 <= len));
    assert!(code.profile.size.is_multiple_of(8));
}

/// The instructions of a function, one a line.
pub(crate) fn listing(code: &CompiledCode) -> Vec<String> {
    let decoder = Decoder::with_ip(64, &code.bytes, 0, DecoderOptions::NONE);
    decoder.into_iter().map(|instruction| instruction.to_string()).collect()
}
