//! What an engine takes in memory, by kind, so that it adds up: `tests/resources/accounting.rs` compares the sum with what a
//! process has.
//!
//! Modules are asked one after the other, each under its own lock, and say what they own (`code::sizes`); stores keep an
//! account that the engine reads without stopping them (`runtime::usage`). What several modules share, such as their
//! bytes, is counted once.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use code::native_module::NativeModule;
use code::sizes::ModuleSizes;
use wasm::heap;

use crate::attachment::{self, Attachment};
use crate::service::Service;

pub use runtime::usage::StoreUsage;

#[cfg(test)]
mod tests;

/// What an engine and all that belongs to it take in memory, in bytes, by kind. No kind is part of another.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct MemoryUsage {
    /// Machine code of functions, in code memory.
    pub code: usize,
    /// Stubs in code memory: lazy stubs, and those at the border to the host.
    pub stubs: usize,
    /// Pages of code memory that are there and not in use.
    pub code_free: usize,
    /// Tables that belong to machine code: traps, positions, inlined calls.
    pub code_metadata: usize,
    /// Modules in the binary format.
    pub wire_bytes: usize,
    /// What is known of modules: decoded forms, code pointers, states of functions.
    pub module_metadata: usize,
    /// Budgets and counts that baseline code writes.
    pub profiles: usize,
    /// Images of memories' data, which instances share until they write to them.
    pub images: usize,
    /// The registry of types.
    pub types: usize,
    /// The engine's own lists.
    pub engine: usize,
    /// All stores.
    pub stores: StoreUsage,
}

impl MemoryUsage {
    pub(crate) fn of(service: &Service) -> MemoryUsage {
        let (_, stub_metadata) = service.stubs.sizes();
        let mut usage = MemoryUsage {
            code_metadata: stub_metadata,
            types: service.types.heap_bytes(),
            engine: heap::shared(service) + service.space.heap_bytes(),
            stores: service.stores.totals().read(),
            ..MemoryUsage::default()
        };
        let mut seen = HashSet::new();
        for module in service.registry.modules() {
            usage.add_module(&module, &mut seen);
        }
        let used = service.space.used();
        usage.stubs = used.saturating_sub(usage.code);
        // Where the system does not say, what is in use is what is known.
        let resident = service.space.resident_bytes().map_or(used, |bytes| usize::try_from(bytes).unwrap_or(used));
        usage.code_free = resident.saturating_sub(used);
        usage
    }

    /// Adds a module, of what it shares only what is not yet among `seen`, which holds addresses.
    fn add_module(&mut self, module: &Arc<NativeModule>, seen: &mut HashSet<usize>) {
        let (sizes, attachment) = (module.sizes(), attachment::of(module));
        self.code += sizes.code;
        self.code_metadata += sizes.code_metadata;
        self.profiles += sizes.profile;
        self.module_metadata += sizes.tables + heap::shared(attachment) + attachment.heap_bytes();
        if seen.insert(Arc::as_ptr(module.info()) as usize) {
            self.module_metadata += sizes.info;
        }
        if seen.insert(module.wire_bytes().as_ptr() as usize) {
            self.wire_bytes += sizes.wire_bytes;
        }
        self.images += attachment.image_bytes();
    }

    /// All of it.
    pub fn total(&self) -> usize {
        self.iter().fold(0, |sum, (_, bytes)| sum.saturating_add(bytes))
    }

    /// The kinds by name, and the bytes of each.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, usize)> {
        let stores = &self.stores;
        [
            ("code", self.code),
            ("stubs", self.stubs),
            ("code_free", self.code_free),
            ("code_metadata", self.code_metadata),
            ("wire_bytes", self.wire_bytes),
            ("module_metadata", self.module_metadata),
            ("profiles", self.profiles),
            ("images", self.images),
            ("types", self.types),
            ("engine", self.engine),
            ("store_contexts", stores.contexts),
            ("instances", stores.instances),
            ("memories", stores.memories),
            ("tables", stores.tables),
            ("host", stores.host),
            ("tasks", stores.tasks),
        ]
        .into_iter()
    }
}

impl fmt::Display for MemoryUsage {
    /// A line for each kind that there is, and the sum.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, bytes) in self.iter().filter(|&(_, bytes)| bytes > 0) {
            writeln!(f, "{name:<16} {bytes:>14}")?;
        }
        writeln!(f, "{:<16} {:>14}", "total", self.total())
    }
}

/// What a module takes in memory, in bytes, by kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct ModuleMemoryUsage {
    /// Machine code of its functions, in code memory; what is not freed yet included.
    pub code: usize,
    /// Tables that belong to it.
    pub code_metadata: usize,
    /// The binary format.
    pub wire_bytes: usize,
    /// Its decoded form, code pointers, states of functions.
    pub metadata: usize,
    /// Budgets and counts that its baseline code writes.
    pub profile: usize,
    /// The image of its memory's data.
    pub image: usize,
}

impl ModuleMemoryUsage {
    /// What a module takes.
    pub fn of(module: &NativeModule) -> ModuleMemoryUsage {
        let attachment: &Attachment = attachment::of(module);
        let ModuleSizes { code, code_metadata, wire_bytes, info, tables, profile } = module.sizes();
        let metadata = info + tables + heap::shared(attachment) + attachment.heap_bytes();
        ModuleMemoryUsage { code, code_metadata, wire_bytes, metadata, profile, image: attachment.image_bytes() }
    }

    /// All of it.
    pub fn total(&self) -> usize {
        let ModuleMemoryUsage { code, code_metadata, wire_bytes, metadata, profile, image } = *self;
        [code, code_metadata, wire_bytes, metadata, profile, image].into_iter().fold(0, usize::saturating_add)
    }
}
