//! `NativeModule`: the compiled artefact behind a module, shared by all its instances in all stores.
//!
//! Making code and making it reachable are two events: [`NativeModule::add`] turns compiled bytes into a code object the
//! module owns, [`NativeModule::publish`] leads calls to it. Threads that compile the same function at once may race;
//! the first to publish a tier wins, and the loser's code is dropped unreached.

use std::any::Any;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use abi::compiled::CompiledCode;
use abi::compiler::{FunctionBody, ModuleEnv, Settings};
use abi::layout::InstanceLayout;
use abi::memory::MemoryStyle;
use abi::tier::Tier;
use wasm::canonical::RegisteredTypes;
use wasm::module::ModuleInfo;
use wasm::types::DefinedFuncIndex;

use crate::code::{Code, CodeKind};
use crate::space::{CodeSpace, SpaceError};
use crate::stubs::LazyStubs;
use crate::table::CodeTable;

/// What a [`NativeModule`] is made of.
#[derive(Debug)]
pub struct Parts {
    /// The decoded module.
    pub info: Arc<ModuleInfo>,
    /// Its bytes.
    pub wire_bytes: Arc<[u8]>,
    /// Its types in the engine's registry.
    pub types: Arc<RegisteredTypes>,
    /// The style its code assumes of each memory.
    pub memories: Box<[MemoryStyle]>,
    /// The settings its code is compiled under.
    pub settings: Settings,
    /// What the layers above keep with the module.
    pub attachment: Box<dyn Any + Send + Sync>,
}

/// A module's metadata, code table and code.
#[derive(Debug)]
pub struct NativeModule {
    parts: Parts,
    layout: InstanceLayout,
    table: CodeTable,
    /// Canonical type ids by type index, as compiled code reads them.
    type_ids: Box<[u32]>,
    space: Arc<CodeSpace>,
    codes: Mutex<Codes>,
    statistics: Statistics,
    this: Weak<NativeModule>,
}

/// The code that a module owns.
#[derive(Debug)]
struct Codes {
    /// The published code of each function.
    published: Box<[Option<Arc<Code>>]>,
    /// Code that better code has replaced. Frames of it may still be on a stack, so it is kept.
    retired: Vec<Arc<Code>>,
}

#[derive(Debug, Default)]
struct Statistics {
    compiled: AtomicUsize,
    code_bytes: AtomicUsize,
    metadata_bytes: AtomicUsize,
    compile_nanos: AtomicU64,
}

/// What a module's compilation has cost so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CodeStatistics {
    /// Functions with machine code.
    pub compiled: usize,
    /// Bytes of machine code.
    pub code_bytes: usize,
    /// Bytes of tables that belong to it.
    pub metadata_bytes: usize,
    /// Thread time spent compiling.
    pub compile_time: Duration,
}

impl NativeModule {
    /// A module all of whose functions are lazy.
    ///
    /// # Errors
    /// When there is no code memory for its lazy stubs.
    pub fn new(parts: Parts, space: Arc<CodeSpace>, stubs: &LazyStubs) -> Result<Arc<NativeModule>, SpaceError> {
        let layout = InstanceLayout::new(&parts.info);
        let table = CodeTable::new(stubs, parts.info.bodies.len())?;
        let type_ids = parts.types.ids().iter().map(|id| id.0).collect();
        let published = (0..table.len()).map(|_| None).collect();
        let codes = Mutex::new(Codes { published, retired: Vec::new() });
        let statistics = Statistics::default();
        Ok(Arc::new_cyclic(|this| NativeModule {
            parts,
            layout,
            table,
            type_ids,
            space,
            codes,
            statistics,
            this: this.clone(),
        }))
    }

    /// The decoded module.
    pub fn info(&self) -> &Arc<ModuleInfo> {
        &self.parts.info
    }

    /// The module's bytes.
    pub fn wire_bytes(&self) -> &Arc<[u8]> {
        &self.parts.wire_bytes
    }

    /// The module's types in the engine's registry.
    pub fn types(&self) -> &Arc<RegisteredTypes> {
        &self.parts.types
    }

    /// Canonical type ids by type index; stays at the same address.
    pub fn type_ids(&self) -> &[u32] {
        &self.type_ids
    }

    /// The style that the code assumes of each memory, by memory index.
    pub fn memories(&self) -> &[MemoryStyle] {
        &self.parts.memories
    }

    /// The settings that the code is compiled under.
    pub fn settings(&self) -> Settings {
        self.parts.settings
    }

    /// What the layers above keep with the module.
    pub fn attachment(&self) -> &(dyn Any + Send + Sync) {
        &*self.parts.attachment
    }

    /// Where an instance context of this module keeps what.
    pub fn layout(&self) -> &InstanceLayout {
        &self.layout
    }

    /// The code pointers.
    pub fn table(&self) -> &CodeTable {
        &self.table
    }

    /// What a compiler needs to know.
    pub fn env(&self) -> ModuleEnv<'_> {
        ModuleEnv {
            info: &self.parts.info,
            layout: &self.layout,
            memories: &self.parts.memories,
            settings: self.parts.settings,
        }
    }

    /// The body of a function.
    pub fn body(&self, function: DefinedFuncIndex) -> FunctionBody<'_> {
        let range = self.parts.info.bodies[function.index()].clone();
        FunctionBody { offset: range.start, bytes: &self.parts.wire_bytes[range] }
    }

    /// Turns compiled bytes into a code object. Nothing leads to it yet.
    ///
    /// # Errors
    /// When the code memory is full.
    pub fn add(&self, function: DefinedFuncIndex, tier: Tier, compiled: CompiledCode) -> Result<Arc<Code>, SpaceError> {
        self.space.add(compiled, CodeKind::Function { module: self.this.clone(), function, tier })
    }

    /// Makes code reachable, unless code of the same or a better tier is. The result is the function's code pointer now.
    pub fn publish(&self, code: Arc<Code>, compile_time: Duration) -> *const u8 {
        let CodeKind::Function { function, tier, .. } = *code.kind() else { return code.entry() };
        let nanos = u64::try_from(compile_time.as_nanos()).unwrap_or(u64::MAX);
        self.statistics.compile_nanos.fetch_add(nanos, Ordering::Relaxed);
        let mut codes = self.lock();
        let Codes { published, retired } = &mut *codes;
        let slot = &mut published[function.index()];
        if slot.as_ref().is_some_and(|current| tier_of(current) >= Some(tier)) {
            return self.table.get(function);
        }
        self.statistics.compiled.fetch_add(usize::from(slot.is_none()), Ordering::Relaxed);
        self.statistics.code_bytes.fetch_add(code.len(), Ordering::Relaxed);
        self.statistics.metadata_bytes.fetch_add(code.metadata_size(), Ordering::Relaxed);
        let entry = code.entry();
        retired.extend(slot.replace(code));
        self.table.publish(function, entry);
        entry
    }

    /// The published code of a function; none while it is lazy.
    pub fn code(&self, function: DefinedFuncIndex) -> Option<Arc<Code>> {
        self.lock().published[function.index()].clone()
    }

    /// What compilation has cost so far.
    pub fn statistics(&self) -> CodeStatistics {
        CodeStatistics {
            compiled: self.statistics.compiled.load(Ordering::Relaxed),
            code_bytes: self.statistics.code_bytes.load(Ordering::Relaxed),
            metadata_bytes: self.statistics.metadata_bytes.load(Ordering::Relaxed),
            compile_time: Duration::from_nanos(self.statistics.compile_nanos.load(Ordering::Relaxed)),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Codes> {
        self.codes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn tier_of(code: &Code) -> Option<Tier> {
    match code.kind() {
        CodeKind::Function { tier, .. } => Some(*tier),
        CodeKind::EntryStub | CodeKind::ExitStub => None,
    }
}
