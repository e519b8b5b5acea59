//! `NativeModule`: the compiled artefact behind a module, shared by all its instances in all stores.
//!
//! The life of a function's code:
//! 1. [`NativeModule::add`] turns compiled bytes into a code object, and finds its place in the profile.
//! 2. [`NativeModule::publish`] leads calls to it by one release store into the code table. Threads that compile the same
//!    function at once may race: the first to publish a tier wins, and the loser's code is dropped unreached. An OSR entry
//!    is in no slot: it is found by [`NativeModule::osr_entry`].
//! 3. Better code, or [`NativeModule::flush`], takes it out of the table: it is *retired*. Frames may still run it.
//! 4. [`NativeModule::take_retired`] gives up what no stack holds; dropping it frees the memory.

use std::any::Any;
use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use abi::compiled::CompiledCode;
use abi::compiler::{FunctionBody, ModuleEnv, Settings};
use abi::feedback::{FeedbackSource, FunctionFeedback, MAX_TARGETS, SiteFeedback};
use abi::layout::{FuncRef, InstanceLayout};
use abi::memory::MemoryStyle;
use abi::tier::Tier;
use wasm::canonical::RegisteredTypes;
use wasm::module::ModuleInfo;
use wasm::types::{DefinedFuncIndex, FuncIndex};

use crate::code::{Code, CodeKind};
use crate::profile::{Profile, SiteCounts};
use crate::retired::{Mark, Retired};
use crate::space::{CodeSpace, SpaceError};
use crate::statistics::{CodeStatistics, Counters, Statistics};
use crate::stubs::LazyStubs;
use crate::table::CodeTable;
use crate::wire_bytes::WireBytes;

#[cfg(test)]
mod tests;

/// What a [`NativeModule`] is made of.
#[derive(Debug)]
pub struct Parts {
    /// The decoded module.
    pub info: Arc<ModuleInfo>,
    /// Its bytes.
    pub wire_bytes: WireBytes,
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
    pub(crate) parts: Parts,
    pub(crate) layout: InstanceLayout,
    table: CodeTable,
    /// Canonical type ids by type index, as compiled code reads them.
    pub(crate) type_ids: Box<[u32]>,
    space: Arc<CodeSpace>,
    lazy_stubs: Arc<LazyStubs>,
    /// Where baseline code keeps budgets and counts, if the settings want that.
    pub(crate) profile: Option<Profile>,
    codes: Mutex<Codes>,
    statistics: Statistics,
    this: Weak<NativeModule>,
}

/// The code that a module owns.
#[derive(Debug)]
pub(crate) struct Codes {
    /// The published code of each function.
    pub(crate) published: Box<[Option<Arc<Code>>]>,
    /// OSR entries by function and offset of the loop.
    pub(crate) osr: BTreeMap<(DefinedFuncIndex, u32), Arc<Code>>,
    /// Code that nothing leads to any more. Frames of it may still be on a stack, so it is kept.
    pub(crate) retired: Retired,
}

/// What [`NativeModule::flush`] did.
#[derive(Debug, Default)]
pub struct Flushed {
    /// The functions that are lazy again, and the bytes of machine code that each had.
    pub functions: Vec<(DefinedFuncIndex, usize)>,
    /// The loops that have no OSR entry any more.
    pub loops: Vec<(DefinedFuncIndex, u32)>,
}

/// What [`NativeModule::publish`] did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Published {
    /// The function's code pointer now, or the OSR entry's.
    pub entry: *const u8,
    /// The tier of the code that it replaced, if it did.
    pub retired: Option<Tier>,
}

/// Code to be added to a module.
#[derive(Debug)]
pub struct NewCode {
    /// The function it is of.
    pub function: DefinedFuncIndex,
    /// The tier that made it.
    pub tier: Tier,
    /// The loop that it starts in, if it is an OSR entry.
    pub osr: Option<u32>,
    /// Thread time that compiling it took.
    pub compile_time: Duration,
    /// The budget that it starts with, if it has one.
    pub budget: i32,
    /// The code.
    pub compiled: CompiledCode,
}

impl NewCode {
    /// What it takes, in bytes, before it is added to a module.
    pub fn heap_bytes(&self) -> usize {
        size_of::<NewCode>() + self.compiled.heap_bytes()
    }
}

impl NativeModule {
    /// A module all of whose functions are lazy.
    ///
    /// # Errors
    /// When there is no code memory for its lazy stubs, or no address space for its profile.
    pub fn new(
        parts: Parts,
        space: Arc<CodeSpace>,
        lazy_stubs: Arc<LazyStubs>,
    ) -> Result<Arc<NativeModule>, SpaceError> {
        let layout = InstanceLayout::new(&parts.info);
        let table = CodeTable::new(&lazy_stubs, parts.info.bodies.len())?;
        let type_ids = parts.types.ids().iter().map(|id| id.0).collect();
        let published = (0..table.len()).map(|_| None).collect();
        let codes = Mutex::new(Codes { published, osr: BTreeMap::new(), retired: Retired::default() });
        let wanted = parts.settings.profile && !parts.info.bodies.is_empty();
        let profile = wanted.then(|| Profile::new(&parts.info)).transpose().map_err(SpaceError::System)?;
        let statistics = Statistics::default();
        Ok(Arc::new_cyclic(|this| NativeModule {
            parts,
            layout,
            table,
            type_ids,
            space,
            lazy_stubs,
            profile,
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
    pub fn wire_bytes(&self) -> &WireBytes {
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
            wire_bytes: &self.parts.wire_bytes,
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

    /// Where the profile begins, for instance contexts; null if the module has none. Stays the same.
    pub fn profile_base(&self) -> *mut u8 {
        self.profile.as_ref().map_or(std::ptr::null_mut(), Profile::base)
    }

    /// Bytes of the profile in use.
    pub fn profile_bytes(&self) -> usize {
        self.profile.as_ref().map_or(0, Profile::used)
    }

    /// The budget left of a function; none if it never had code that keeps one.
    pub fn budget(&self, function: DefinedFuncIndex) -> Option<i32> {
        self.profile.as_ref()?.budget(function)
    }

    /// Gives a function a new budget, if its code keeps one.
    pub fn set_budget(&self, function: DefinedFuncIndex, budget: i32) {
        if let Some(profile) = &self.profile {
            profile.set_budget(function, budget);
        }
    }

    /// How often the call site at this offset of the module was executed.
    pub fn site_count(&self, function: DefinedFuncIndex, wasm_offset: u32) -> Option<u32> {
        Some(total(self.profile.as_ref()?.site(function, wasm_offset)?))
    }

    /// Turns compiled bytes into a code object. Nothing leads to it yet.
    ///
    /// # Errors
    /// When the code memory is full, or there is no memory for the profile.
    pub fn add(&self, code: NewCode) -> Result<Arc<Code>, SpaceError> {
        let NewCode { function, tier, osr, compile_time, budget, mut compiled } = code;
        let table = std::mem::take(&mut compiled.profile);
        if let Some(profile) = &self.profile
            && table.size > 0
        {
            let place = profile.place(function, &table, budget).map_err(SpaceError::System)?;
            for &fixup in &table.fixups {
                relocate(&mut compiled.bytes, fixup as usize, place);
            }
        }
        let compile_nanos = u64::try_from(compile_time.as_nanos()).unwrap_or(u64::MAX);
        let kind = CodeKind::Function { module: self.this.clone(), function, tier, osr, compile_nanos };
        let code = self.space.add(compiled, kind)?;
        let counters = self.counters(tier, osr);
        counters.nanos.fetch_add(compile_nanos, Ordering::Relaxed);
        counters.compiled.fetch_add(1, Ordering::Relaxed);
        counters.compiled_bytes.fetch_add(code.len() as u64, Ordering::Relaxed);
        Ok(code)
    }

    /// Makes code reachable, unless code of the same or a better tier is.
    pub fn publish(&self, code: Arc<Code>) -> Published {
        let entry = code.entry();
        let CodeKind::Function { function, tier, osr, .. } = *code.kind() else {
            return Published { entry, retired: None };
        };
        let mut codes = self.lock();
        let Codes { published, osr: entries, retired } = &mut *codes;
        let slot = &mut published[function.index()];
        if osr.is_none() && slot.as_ref().is_some_and(|current| tier_of(current) >= Some(tier)) {
            return Published { entry: self.table.get(function), retired: None };
        }
        self.count_in(&code);
        let old = match osr {
            Some(offset) => entries.insert((function, offset), code),
            None => {
                let old = slot.replace(code);
                self.table.publish(function, entry);
                old
            }
        };
        let replaced = old.as_deref().and_then(tier_of);
        if let Some(old) = old {
            self.retire(old, retired);
        }
        Published { entry, retired: replaced }
    }

    /// The published code of a function; none while it is lazy.
    pub fn code(&self, function: DefinedFuncIndex) -> Option<Arc<Code>> {
        self.lock().published[function.index()].clone()
    }

    /// The code pointer of a function, unless it is lazy.
    pub fn entry(&self, function: DefinedFuncIndex) -> Option<*const u8> {
        self.lock().published[function.index()].as_ref().map(|code| code.entry())
    }

    /// The tier that calls of a function run in; none while it is lazy.
    pub fn tier(&self, function: DefinedFuncIndex) -> Option<Tier> {
        self.lock().published[function.index()].as_deref().and_then(tier_of)
    }

    /// The OSR entry of a function that starts in the loop at this offset of the module.
    pub fn osr_entry(&self, function: DefinedFuncIndex, offset: u32) -> Option<*const u8> {
        self.lock().osr.get(&(function, offset)).map(|code| code.entry())
    }

    /// The OSR entries of a function, by ascending offset of the loop.
    pub fn osr_codes(&self, function: DefinedFuncIndex) -> Vec<Arc<Code>> {
        let codes = self.lock();
        codes.osr.range((function, 0)..=(function, u32::MAX)).map(|(_, code)| Arc::clone(code)).collect()
    }

    /// Calls `each` with the published code of every function that has some, in order. Must not call back.
    pub fn each_code(&self, mut each: impl FnMut(DefinedFuncIndex, &Code)) {
        for (index, code) in self.lock().published.iter().enumerate() {
            if let Some(code) = code {
                each(DefinedFuncIndex::new(index), code);
            }
        }
    }

    /// All code that the module owns now: that of functions in order, OSR entries, then what is retired.
    pub fn all_code(&self) -> Vec<Arc<Code>> {
        let codes = self.lock();
        codes.published.iter().flatten().chain(codes.osr.values()).chain(codes.retired.iter()).map(Arc::clone).collect()
    }

    /// Is this code of the module's: published, an OSR entry, or retired? What it gave up, or never took, is not.
    pub fn owns(&self, code: &Arc<Code>) -> bool {
        let CodeKind::Function { function, osr, .. } = *code.kind() else { return false };
        let codes = self.lock();
        let current = match osr {
            Some(offset) => codes.osr.get(&(function, offset)),
            None => codes.published.get(function.index()).and_then(Option::as_ref),
        };
        current.into_iter().chain(codes.retired.iter()).any(|owned| Arc::ptr_eq(owned, code))
    }

    /// Takes the code that `unwanted` picks out of the table, back to lazy stubs, and the OSR entries that it picks.
    pub fn flush(&self, mut unwanted: impl FnMut(&Code) -> bool) -> Flushed {
        let mut flushed = Flushed::default();
        let mut codes = self.lock();
        let Codes { published, osr, retired } = &mut *codes;
        for (index, slot) in published.iter_mut().enumerate() {
            if slot.as_ref().is_some_and(|code| unwanted(code))
                && let Some(old) = slot.take()
            {
                let function = DefinedFuncIndex::new(index);
                self.table.publish(function, self.lazy_stubs.get(index));
                flushed.functions.push((function, old.len()));
                self.retire(old, retired);
            }
        }
        osr.retain(|&place, code| {
            let keep = !unwanted(code);
            if !keep {
                self.retire(Arc::clone(code), retired);
                flushed.loops.push(place);
            }
            keep
        });
        self.statistics.flushed.fetch_add(flushed.functions.len(), Ordering::Relaxed);
        flushed
    }

    /// Bytes of machine code that nothing leads to any more.
    pub fn retired_bytes(&self) -> usize {
        self.statistics.retired_bytes.load(Ordering::Relaxed)
    }

    /// Code objects that nothing leads to any more.
    pub fn retired_count(&self) -> usize {
        self.lock().retired.iter().count()
    }

    /// Now: between what was retired and what will be.
    pub fn now(&self) -> Mark {
        self.lock().retired.now()
    }

    /// Code that was retired before `mark` and is none of `live`, which holds the addresses of code objects: dropping it
    /// frees it. The caller vouches that no stack holds any other.
    pub fn take_retired(&self, mark: Mark, live: &HashSet<usize>) -> Vec<Arc<Code>> {
        let free = self.lock().retired.take(mark, live);
        for code in &free {
            self.count_out(code);
        }
        free
    }

    /// What compilation has cost so far.
    pub fn statistics(&self) -> CodeStatistics {
        self.statistics.read()
    }

    fn counters(&self, tier: Tier, osr: Option<u32>) -> &Counters {
        if osr.is_some() { &self.statistics.osr } else { self.statistics.tier(tier) }
    }

    /// Code becomes reachable.
    fn count_in(&self, code: &Code) {
        let CodeKind::Function { tier, osr, .. } = *code.kind() else { return };
        let counters = self.counters(tier, osr);
        counters.functions.fetch_add(1, Ordering::Relaxed);
        counters.code_bytes.fetch_add(code.len(), Ordering::Relaxed);
        counters.metadata_bytes.fetch_add(code.metadata_size(), Ordering::Relaxed);
    }

    /// Code is no longer reachable.
    fn retire(&self, code: Arc<Code>, retired: &mut Retired) {
        if let CodeKind::Function { tier, osr, .. } = *code.kind() {
            self.counters(tier, osr).functions.fetch_sub(1, Ordering::Relaxed);
        }
        self.statistics.retired_bytes.fetch_add(code.len(), Ordering::Relaxed);
        self.space.add_retired(code.len());
        retired.push(code);
    }

    /// Retired code will be freed.
    fn count_out(&self, code: &Code) {
        let CodeKind::Function { tier, osr, .. } = *code.kind() else { return };
        let counters = self.counters(tier, osr);
        counters.code_bytes.fetch_sub(code.len(), Ordering::Relaxed);
        counters.metadata_bytes.fetch_sub(code.metadata_size(), Ordering::Relaxed);
        self.statistics.retired_bytes.fetch_sub(code.len(), Ordering::Relaxed);
        self.space.sub_retired(code.len());
        self.statistics.freed.fetch_add(1, Ordering::Relaxed);
        self.statistics.freed_bytes.fetch_add(code.len() as u64, Ordering::Relaxed);
    }

    /// The function that a recorded distance from the instance context to a function reference stands for.
    fn function_at(&self, distance: u32) -> Option<FuncIndex> {
        let escaped = &self.parts.info.escaped_functions;
        let first = self.layout.func_ref(*escaped.first()?)?;
        let place = distance.checked_sub(first)? as usize / size_of::<FuncRef>();
        let function = *escaped.get(place)?;
        (self.layout.func_ref(function) == Some(distance)).then_some(function)
    }

    /// The targets that can be inlined, by falling count.
    fn targets(&self, seen: [(u32, u32); MAX_TARGETS]) -> [Option<(FuncIndex, u32)>; MAX_TARGETS] {
        let mut known: Vec<(FuncIndex, u32)> = seen
            .into_iter()
            .filter_map(|(distance, count)| Some((self.function_at(distance)?, count)))
            .filter(|&(function, count)| count > 0 && self.parts.info.defined_func_index(function).is_some())
            .collect();
        known.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
        let mut known = known.into_iter();
        std::array::from_fn(|_| known.next())
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Codes> {
        self.codes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn tier_of(code: &Code) -> Option<Tier> {
    match code.kind() {
        CodeKind::Function { tier, .. } => Some(*tier),
        CodeKind::EntryStub | CodeKind::ExitStub => None,
    }
}

impl Drop for NativeModule {
    fn drop(&mut self) {
        self.space.sub_retired(self.retired_bytes());
    }
}

impl FeedbackSource for NativeModule {
    fn feedback(&self, function: DefinedFuncIndex) -> Option<FunctionFeedback> {
        let mut sites = Vec::new();
        let known = self.profile.as_ref()?.each_site(function, |wasm_offset, counts| {
            let targets = match counts {
                SiteCounts::Direct(_) => [None; MAX_TARGETS],
                SiteCounts::Indirect { targets, .. } => self.targets(targets),
            };
            sites.push(SiteFeedback { wasm_offset, count: total(counts), targets });
        });
        known.then_some(FunctionFeedback { sites })
    }
}

/// Executions of a site in all.
fn total(counts: SiteCounts) -> u32 {
    match counts {
        SiteCounts::Direct(count) => count,
        SiteCounts::Indirect { targets, other } => {
            targets.iter().fold(other, |sum, &(_, count)| sum.saturating_add(count))
        }
    }
}

/// Adds a region's place to a displacement in code.
fn relocate(bytes: &mut [u8], at: usize, place: u32) {
    if let Some(field) = bytes.get_mut(at..at + 4) {
        let value = u32::from_le_bytes([field[0], field[1], field[2], field[3]]).wrapping_add(place);
        field.copy_from_slice(&value.to_le_bytes());
    }
}
