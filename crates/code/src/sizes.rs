//! What a module takes in memory, by kind.

use std::sync::Arc;

use wasm::heap;

use crate::code::Code;
use crate::native_module::NativeModule;
use crate::profile::Profile;

#[cfg(test)]
mod tests;

/// What a module takes, in bytes, by kind. What modules share (their bytes, their decoded form) is counted for each.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ModuleSizes {
    /// Code memory, with headers and padding; code that is not freed yet included.
    pub code: usize,
    /// Tables that belong to code: traps, positions, inlined calls.
    pub code_metadata: usize,
    /// The module in the binary format.
    pub wire_bytes: usize,
    /// The decoded form.
    pub info: usize,
    /// Code pointers, and other lists with an entry for each function or type.
    pub tables: usize,
    /// Budgets and counts.
    pub profile: usize,
}

impl NativeModule {
    /// What the module takes now. Looks at all its code, under its lock.
    pub fn sizes(&self) -> ModuleSizes {
        let mut sizes = ModuleSizes {
            wire_bytes: self.wire_bytes().len(),
            info: heap::shared(&**self.info()) + self.info().heap_bytes(),
            profile: self.profile.as_ref().map_or(0, Profile::memory_bytes),
            ..ModuleSizes::default()
        };
        let codes = self.lock();
        let mut add = |code: &Arc<Code>| {
            sizes.code += code.footprint();
            sizes.code_metadata += code.metadata_size();
        };
        codes.published.iter().flatten().for_each(&mut add);
        codes.osr.values().for_each(&mut add);
        codes.retired.iter().for_each(&mut add);
        let lists = heap::slice(&codes.published)
            + heap::tree::<(u32, u32), Arc<Code>>(codes.osr.len())
            + codes.retired.heap_bytes();
        drop(codes);
        sizes.tables = heap::shared(self)
            + lists
            + heap::block(self.table().len() * size_of::<usize>())
            + heap::slice(&self.type_ids)
            + heap::slice(&self.parts.memories)
            + self.layout.heap_bytes()
            + heap::shared(&**self.types())
            + self.types().heap_bytes();
        sizes
    }
}
