//! Alias regions: which kinds of memory that compiled code touches can never overlap.
//!
//! Cranelift forwards stores to loads and drops dead stores within a region, and treats an access without a region as
//! touching all of them. So every store, and every load of something that can change, names its region here.
//! Invariant: one location is only ever accessed through one region.

use std::borrow::Cow;

use cranelift_codegen::ir::{AliasRegion, AliasRegionData, MemFlagsData};
use wasm::types::{GlobalIndex, MemoryIndex};

use super::state::Translator;

/// Defined globals with a region of their own; the rest share one.
const GLOBALS: u32 = 16;
/// Defined memories with a region of their own; the rest share one.
const MEMORIES: u32 = 4;

/// A disjoint part of the memory that compiled code touches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Region {
    /// Bases and lengths of memories, imported or defined.
    MemoryDefinition,
    /// Bases and lengths of tables, imported or defined.
    TableDefinition,
    /// Elements of all tables: two table indices may name one table.
    TableElements,
    /// Code pointers in code tables.
    CodeTable,
    /// What calls load from the instance context and the table of builtins; never written by compiled code.
    CallPointers,
    /// Fields of function references.
    FuncRef,
    /// The store's fuel.
    Fuel,
    /// The store's epoch deadline.
    EpochDeadline,
    /// The engine's epoch.
    Epoch,
    /// What others ask of the store's thread.
    Interrupt,
    /// Value slots: result buffers and host call frames.
    Values,
    /// The frame image that an OSR entry reads.
    Image,
    /// Cells of imported globals, which may be one and the same.
    ImportedGlobals,
    /// Contents of imported memories, which may be one and the same.
    ImportedMemories,
    /// Cell of a defined global: its number among the defined ones, below [`GLOBALS`]; the last stands for the rest.
    DefinedGlobal(u32),
    /// Contents of a defined memory: likewise, below [`MEMORIES`].
    DefinedMemory(u32),
}

const FIXED: u32 = 14;

/// The regions that the function under translation has used so far, by [`Region::id`].
pub(crate) type Regions = [Option<AliasRegion>; (FIXED + GLOBALS + MEMORIES) as usize];

impl Region {
    fn id(self) -> u32 {
        match self {
            Region::MemoryDefinition => 0,
            Region::TableDefinition => 1,
            Region::TableElements => 2,
            Region::CodeTable => 3,
            Region::FuncRef => 4,
            Region::Fuel => 5,
            Region::EpochDeadline => 6,
            Region::Epoch => 7,
            Region::Values => 8,
            Region::ImportedGlobals => 9,
            Region::ImportedMemories => 10,
            Region::CallPointers => 11,
            Region::Image => 12,
            Region::Interrupt => 13,
            Region::DefinedGlobal(global) => FIXED + global.min(GLOBALS - 1),
            Region::DefinedMemory(memory) => FIXED + GLOBALS + memory.min(MEMORIES - 1),
        }
    }

    fn description(self) -> &'static str {
        match self {
            Region::MemoryDefinition => "memory definition",
            Region::TableDefinition => "table definition",
            Region::TableElements => "table elements",
            Region::CodeTable => "code table",
            Region::CallPointers => "call pointers",
            Region::FuncRef => "function reference",
            Region::Fuel => "fuel",
            Region::EpochDeadline => "epoch deadline",
            Region::Epoch => "epoch",
            Region::Interrupt => "interrupt",
            Region::Values => "value slots",
            Region::Image => "frame image",
            Region::ImportedGlobals => "imported globals",
            Region::ImportedMemories => "imported memories",
            Region::DefinedGlobal(_) => "global",
            Region::DefinedMemory(_) => "memory",
        }
    }

    /// The region of a global's cell.
    pub(crate) fn global(global: GlobalIndex, num_imported: u32) -> Region {
        global.0.checked_sub(num_imported).map_or(Region::ImportedGlobals, Region::DefinedGlobal)
    }

    /// The region of a memory's contents.
    pub(crate) fn memory(memory: MemoryIndex, num_imported: u32) -> Region {
        memory.0.checked_sub(num_imported).map_or(Region::ImportedMemories, Region::DefinedMemory)
    }
}

impl Translator<'_> {
    /// Cranelift's entity for a region.
    pub(crate) fn region(&mut self, region: Region) -> AliasRegion {
        let id = region.id();
        let slot = &mut self.regions[id as usize];
        *slot.get_or_insert_with(|| {
            let description = Cow::Borrowed(region.description());
            self.builder.func.dfg.alias_regions.insert(AliasRegionData { user_id: id, description })
        })
    }

    /// Flags of an aligned access within a region, to an address known to be good.
    pub(crate) fn trusted(&mut self, region: Region) -> MemFlagsData {
        MemFlagsData::trusted().with_alias_region(Some(self.region(region)))
    }
}
