//! `ModuleSource`: what a module is called, and its functions, by those who look at it from outside: debuggers, profilers,
//! logs. It does not keep the module's code. Everything is made when it is first asked for.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use code::native_module::NativeModule;
use code::wire_bytes::WireBytes;
use wasm::module::ModuleInfo;
use wasm::types::{DefinedFuncIndex, FuncIndex};

use crate::attachment;
use crate::events::ModuleNumber;

#[cfg(test)]
mod tests;

/// The names of a module. One for a module and all variants of its code.
#[derive(Debug)]
pub struct ModuleSource {
    number: ModuleNumber,
    info: Arc<ModuleInfo>,
    wire_bytes: WireBytes,
    url: OnceLock<Arc<str>>,
}

impl ModuleSource {
    pub(crate) fn new(number: ModuleNumber, info: Arc<ModuleInfo>, wire_bytes: WireBytes) -> ModuleSource {
        ModuleSource { number, info, wire_bytes, url: OnceLock::new() }
    }

    /// The module's number in events.
    pub fn number(&self) -> ModuleNumber {
        self.number
    }

    /// `wasm://wasm/NAME-HASH` or `wasm://wasm/HASH`, with the module's name in its name section, and the low 32 bits of a
    /// hash of its bytes in hexadecimal. A URL that somebody gave is none of the module's, which others may share: handles
    /// and the stores that got it by them remember it.
    pub fn url(&self) -> &Arc<str> {
        self.url.get_or_init(|| self.make_url())
    }

    fn make_url(&self) -> Arc<str> {
        let hash = wire_hash(&self.wire_bytes);
        match self.name() {
            Some(name) if !name.is_empty() => format!("wasm://wasm/{name}-{hash:08x}").into(),
            _ => format!("wasm://wasm/{hash:08x}").into(),
        }
    }

    /// The index of a defined function in the whole index space.
    pub(crate) fn func_index(&self, function: DefinedFuncIndex) -> FuncIndex {
        self.info.func_index(function)
    }

    /// The module's name in its name section.
    pub fn name(&self) -> Option<&str> {
        self.info.names(&self.wire_bytes).module()
    }

    /// The name of a function in the name section, or `wasm-function[INDEX]`. Imports come first in the index space.
    pub fn function_name(&self, index: u32) -> Cow<'_, str> {
        match self.info.function_name(&self.wire_bytes, FuncIndex(index)) {
            Some(name) => Cow::Borrowed(name),
            None => Cow::Owned(format!("wasm-function[{index}]")),
        }
    }

    /// The URL of its source map, from the section `sourceMappingURL`.
    pub fn source_map_url(&self) -> Option<&str> {
        self.info.source_map_url(&self.wire_bytes)
    }

    /// The URL of the file with its DWARF, from the section `external_debug_info`.
    pub fn external_debug_info(&self) -> Option<&str> {
        self.info.external_debug_info(&self.wire_bytes)
    }
}

/// What a module is called by those who look at it.
pub fn of(module: &NativeModule) -> Option<&Arc<ModuleSource>> {
    attachment::of(module).registration().map(|registration| &registration.source)
}

/// The low 32 bits of a hash of a module's bytes. The same in every process and version: people find modules again by it.
fn wire_hash(bytes: &[u8]) -> u32 {
    const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;
    let mix = |hash: u64, word: u64| (hash ^ word).wrapping_mul(MULTIPLIER).rotate_left(29);
    let (words, tail) = bytes.as_chunks::<8>();
    let hash = words.iter().fold(bytes.len() as u64, |hash, &word| mix(hash, u64::from_le_bytes(word)));
    let mut last = [0; 8];
    last[..tail.len()].copy_from_slice(tail);
    let hash = mix(mix(hash, u64::from_le_bytes(last)), 0);
    (hash ^ (hash >> 32)) as u32
}
