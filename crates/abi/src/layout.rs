//! The memory that compiled code reads: instance context, store context, host context, and the definitions behind
//! memories, tables, globals and function references. The structs here have `#[repr(C)]`, so their offsets are the
//! contract; the part of the instance context whose size depends on the module is described by [`InstanceLayout`].
//!
//! ```text
//! vmctx -> InstanceHeader
//!          FuncImport          x imported functions
//!          *TableDefinition    x imported tables
//!          *MemoryDefinition   x imported memories
//!          *GlobalCell         x imported globals
//!          TableDefinition     x defined tables
//!          MemoryDefinition    x defined memories
//!          GlobalCell          x defined globals      (16-aligned)
//!          FuncRef             x escaped functions    (page-aligned, up to the end of a page, if they are many)
//! ```
//! Invariant: an instance context never moves and lives as long as its store.

use std::mem::size_of;
use std::ops::Range;
use std::ptr::{null, null_mut, with_exposed_provenance_mut};
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize};

use wasm::heap;
use wasm::module::ModuleInfo;
use wasm::types::{
    DefinedFuncIndex, DefinedGlobalIndex, DefinedMemoryIndex, DefinedTableIndex, FuncIndex, GlobalIndex, HeapType,
    MemoryIndex, RefType, TableIndex, TypeIndex,
};

/// Bytes of one value in a value buffer (host calls, and results that do not fit registers). A value narrower than its
/// slot lies at the slot's start, little endian.
pub const VALUE_SLOT: usize = 16;

/// What every instance context starts with.
#[derive(Debug)]
#[repr(C)]
pub struct InstanceHeader {
    /// The store's context; never null, never changes.
    pub store: *mut StoreContext,
    /// Builtins by number: C functions.
    pub builtins: *const *const u8,
    /// Code table of the module: one code pointer per defined function.
    pub code_table: *const *const u8,
    /// Canonical type id by type index of the module (`u32` each).
    pub type_ids: *const u32,
    /// The runtime's own record of the instance.
    pub instance: *mut u8,
    /// The module's profile: the budgets and call counts of its functions; see [`crate::feedback`]. Null when its code
    /// keeps none.
    pub profile: *mut u8,
}

/// What compiled code and stubs share with a store. The atomic fields are what other threads touch while the store runs.
#[derive(Debug)]
#[repr(C)]
pub struct StoreContext {
    /// Lowest stack address that a frame may reach. Raised to `isize::MAX` to interrupt: prologues add their frame's size to
    /// it, which must not wrap.
    pub stack_limit: AtomicUsize,
    /// Frame pointer of the stub or trampoline through which Wasm was last left; `[exit_fp + 8]` is the return address in
    /// Wasm, `[exit_fp]` the frame pointer of the Wasm frame.
    pub exit_fp: usize,
    /// The entry record of the current activation, or null.
    pub entry: *mut u8,
    /// Fuel consumed, counted up from a negative number: zero and above is out of fuel.
    pub fuel: i64,
    /// Epoch at which the store is interrupted.
    pub epoch_deadline: u64,
    /// The engine's epoch counter.
    pub epoch: *const u64,
    /// The runtime's own record of the store.
    pub store: *mut u8,
    /// Frame image of the loop that is being left for optimized code; see [`crate::frame`]. Read by OSR entries at once.
    pub osr_image: *const u8,
    /// What others want of the thread that runs here, as bits. Loops look at the lower half ([`INTERRUPT_WIDTH`]) and call
    /// `on_interrupt` if it is not zero; the upper half is for the runtime.
    pub interrupt: AtomicU64,
    /// What loops call then: takes nothing, gives nothing, keeps every register, and changes the flags only.
    pub on_interrupt: *const u8,
    /// 1 while the thread runs compiled code or what that has called of the runtime; 0 while it is in the host, be it that no
    /// call of Wasm is under way or that Wasm has called a host function.
    pub in_wasm: AtomicU32,
    /// The stack limit when nothing interrupts.
    pub true_limit: usize,
    /// Code that is about to be entered, though no frame shows it: the runtime's list.
    pub pinned: *const u8,
}

/// Bytes of [`StoreContext::interrupt`] that loops compare with zero.
pub const INTERRUPT_WIDTH: usize = 4;

impl Default for StoreContext {
    /// Of a store that no thread runs in; the pointers are null.
    fn default() -> StoreContext {
        StoreContext {
            stack_limit: AtomicUsize::new(0),
            exit_fp: 0,
            entry: null_mut(),
            fuel: 0,
            epoch_deadline: 0,
            epoch: null(),
            store: null_mut(),
            osr_image: null(),
            interrupt: AtomicU64::new(0),
            on_interrupt: null(),
            in_wasm: AtomicU32::new(0),
            true_limit: 0,
            pinned: null(),
        }
    }
}

/// The context of a host function: what its exit stub gets in place of an instance context.
#[derive(Debug)]
#[repr(C)]
pub struct HostContext {
    /// The store's context.
    pub store: *mut StoreContext,
    /// `extern "C" fn(context: *mut HostContext, values: *mut u128) -> u64`; non-zero means an error is pending.
    pub function: *const u8,
    /// What exit stubs call when `function` failed: `extern "C" fn(store: *mut StoreContext) -> !`.
    pub raise: *const u8,
    /// Instance context of the instance that imported the function, or null.
    pub caller: *mut u8,
    /// The host closure.
    pub data: *const u8,
}

/// A memory as compiled code sees it.
#[derive(Debug)]
#[repr(C)]
pub struct MemoryDefinition {
    /// Address of byte 0.
    pub base: *mut u8,
    /// Current length in bytes.
    pub length: usize,
}

/// A table as compiled code sees it.
#[derive(Debug)]
#[repr(C)]
pub struct TableDefinition {
    /// Address of element 0; see [`element_size`].
    pub base: *mut u8,
    /// Current length in elements.
    pub length: usize,
}

/// A global's value, at the start of the cell, little endian.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(16))]
pub struct GlobalCell {
    /// The value's bits; what lies above its width is unspecified.
    pub bits: u128,
}

/// How a function is called: an imported function in an instance context.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct FuncImport {
    /// Address of the code-table slot that holds the callee's code.
    pub slot: *const *const u8,
    /// The callee's context: an instance context or a host context.
    pub vmctx: *mut u8,
}

/// What a function reference points to. Never copied to another address but with its context.
#[derive(Debug)]
#[repr(C)]
pub struct FuncRef {
    /// Address of the code-table slot, so that a reference never goes stale at tier-up.
    pub slot: *const *const u8,
    /// From here to the callee's context, in bytes; see [`FuncRef::callee`]. Of an instance's own functions it is the same
    /// in all instances of the module, and so are all other fields: these may share the memory.
    pub distance: isize,
    /// Canonical id of the function's type.
    pub type_id: u32,
    /// 1 when `vmctx` is a [`HostContext`], 0 when it is an instance context.
    pub is_host: u32,
}

impl FuncRef {
    /// The distance to write into what lies at `reference`.
    pub fn distance_to(reference: *const FuncRef, vmctx: *mut u8) -> isize {
        vmctx.expose_provenance().wrapping_sub(reference.addr()).cast_signed()
    }

    /// What it refers to, as an import of it. Only where it lies in a context, or else was made for: a copy leads astray.
    #[inline(always)]
    pub fn callee(&self) -> FuncImport {
        let here = (&raw const *self).addr();
        FuncImport { slot: self.slot, vmctx: with_exposed_provenance_mut(here.wrapping_add_signed(self.distance)) }
    }
}

/// From this number of escaped functions on, an instance's references to them have pages of their own.
pub const MANY_REFERENCES: usize = 1024;

/// Bytes of a page, as far as layouts go.
pub const LAYOUT_PAGE: usize = 4096;

/// Bytes of one table element or one reference in memory: function references are addresses of a [`FuncRef`] (0 is
/// null); all other references are 32-bit offsets into the store's heap (0 is null).
pub fn reference_size(ty: RefType, info: &ModuleInfo) -> usize {
    if is_funcref(ty.heap, info) { 8 } else { 4 }
}

/// Is this heap type in the hierarchy of functions?
pub fn is_funcref(heap: HeapType, info: &ModuleInfo) -> bool {
    match heap {
        HeapType::Func | HeapType::NoFunc => true,
        HeapType::Concrete(index) => info.type_func(index).is_some(),
        _ => false,
    }
}

/// Offsets, from the start of an instance context, of everything in it. All in bytes.
#[derive(Clone, Debug)]
pub struct InstanceLayout {
    num_imported_functions: u32,
    num_imported_tables: u32,
    num_imported_memories: u32,
    num_imported_globals: u32,
    imported_functions: u32,
    imported_tables: u32,
    imported_memories: u32,
    imported_globals: u32,
    tables: u32,
    memories: u32,
    globals: u32,
    func_refs: u32,
    num_escaped: u32,
    size: u32,
    /// For each function of the index space: its place among the escaped ones, or `u32::MAX`.
    escaped: Box<[u32]>,
}

const HEADER: u32 = size_of::<InstanceHeader>() as u32;
const FUNC_IMPORT: u32 = size_of::<FuncImport>() as u32;
const POINTER: u32 = 8;
const DEFINITION: u32 = 16;
const GLOBAL: u32 = size_of::<GlobalCell>() as u32;
const FUNC_REF: u32 = size_of::<FuncRef>() as u32;

const _: () = {
    assert!(HEADER.is_multiple_of(16));
    assert!(size_of::<MemoryDefinition>() == 16 && size_of::<TableDefinition>() == 16);
    assert!(FUNC_IMPORT == 16 && FUNC_REF == 24 && GLOBAL == 16);
};

impl InstanceLayout {
    /// What it owns takes, in bytes.
    pub fn heap_bytes(&self) -> usize {
        heap::slice(&self.escaped)
    }

    /// The layout for a module. The module's limits keep every offset below 2^31.
    pub fn new(info: &ModuleInfo) -> InstanceLayout {
        let mut escaped = vec![u32::MAX; info.functions.len()].into_boxed_slice();
        for (place, function) in info.escaped_functions.iter().enumerate() {
            escaped[function.index()] = place as u32;
        }
        let mut at = HEADER;
        let mut take = |count: u32, size: u32| {
            let start = at;
            at += count * size;
            start
        };
        let imported_functions = take(info.num_imported_functions, FUNC_IMPORT);
        let imported_tables = take(info.num_imported_tables, POINTER);
        let imported_memories = take(info.num_imported_memories, POINTER);
        let imported_globals = take(info.num_imported_globals, POINTER);
        let pointers = info.num_imported_tables + info.num_imported_memories + info.num_imported_globals;
        take(pointers % 2, POINTER);
        let tables = take(info.tables.len() as u32 - info.num_imported_tables, DEFINITION);
        let memories = take(info.memories.len() as u32 - info.num_imported_memories, DEFINITION);
        let globals = take(info.globals.len() as u32 - info.num_imported_globals, GLOBAL);
        let many = info.escaped_functions.len() >= MANY_REFERENCES;
        let page = if many { LAYOUT_PAGE as u32 } else { 1 };
        let func_refs = at.next_multiple_of(page);
        let end = func_refs + info.escaped_functions.len() as u32 * FUNC_REF;
        InstanceLayout {
            num_imported_functions: info.num_imported_functions,
            num_imported_tables: info.num_imported_tables,
            num_imported_memories: info.num_imported_memories,
            num_imported_globals: info.num_imported_globals,
            imported_functions,
            imported_tables,
            imported_memories,
            imported_globals,
            tables,
            memories,
            globals,
            func_refs,
            num_escaped: info.escaped_functions.len() as u32,
            size: end.next_multiple_of(page),
            escaped,
        }
    }

    /// Size of the whole context.
    pub fn size(&self) -> u32 {
        self.size
    }

    /// The [`FuncImport`] of an imported function.
    pub fn func_import(&self, function: FuncIndex) -> u32 {
        debug_assert!(function.0 < self.num_imported_functions);
        self.imported_functions + function.0 * FUNC_IMPORT
    }

    /// The table's definition, or the pointer to it when it is imported.
    pub fn table(&self, table: TableIndex) -> Place {
        match table.0.checked_sub(self.num_imported_tables) {
            None => Place::Imported(self.imported_tables + table.0 * POINTER),
            Some(defined) => Place::Defined(self.defined_table(DefinedTableIndex(defined))),
        }
    }

    /// The memory's definition, or the pointer to it when it is imported.
    pub fn memory(&self, memory: MemoryIndex) -> Place {
        match memory.0.checked_sub(self.num_imported_memories) {
            None => Place::Imported(self.imported_memories + memory.0 * POINTER),
            Some(defined) => Place::Defined(self.defined_memory(DefinedMemoryIndex(defined))),
        }
    }

    /// The global's cell, or the pointer to it when it is imported.
    pub fn global(&self, global: GlobalIndex) -> Place {
        match global.0.checked_sub(self.num_imported_globals) {
            None => Place::Imported(self.imported_globals + global.0 * POINTER),
            Some(defined) => Place::Defined(self.defined_global(DefinedGlobalIndex(defined))),
        }
    }

    /// The [`TableDefinition`] of a defined table.
    pub fn defined_table(&self, table: DefinedTableIndex) -> u32 {
        self.tables + table.0 * DEFINITION
    }

    /// The [`MemoryDefinition`] of a defined memory.
    pub fn defined_memory(&self, memory: DefinedMemoryIndex) -> u32 {
        self.memories + memory.0 * DEFINITION
    }

    /// The [`GlobalCell`] of a defined global.
    pub fn defined_global(&self, global: DefinedGlobalIndex) -> u32 {
        self.globals + global.0 * GLOBAL
    }

    /// The [`FuncRef`] of a function, if it can escape.
    pub fn func_ref(&self, function: FuncIndex) -> Option<u32> {
        let place = *self.escaped.get(function.index())?;
        (place != u32::MAX).then(|| self.func_refs + place * FUNC_REF)
    }

    /// Where the [`FuncRef`]s are, if they have pages of their own, up to the end of the context.
    pub fn reference_pages(&self) -> Option<Range<u32>> {
        (self.num_escaped >= MANY_REFERENCES as u32).then_some(self.func_refs..self.size)
    }

    /// Offset of a defined function's code pointer from the start of the code table.
    pub fn code_slot(function: DefinedFuncIndex) -> u32 {
        function.0 * POINTER
    }

    /// Offset of a type's canonical id from `InstanceHeader::type_ids`.
    pub fn type_id(ty: TypeIndex) -> u32 {
        ty.0 * 4
    }
}

/// Where an instance context keeps an entity that may be imported.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// At this offset lies a pointer to it.
    Imported(u32),
    /// It lies at this offset.
    Defined(u32),
}
