//! What a compiler gives: machine code as bytes, and the tables that belong to it.

use crate::trap::TrapReason;

/// A place in machine code that may trap.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TrapSite {
    /// Offset of the faulting instruction from the start of the code, in bytes.
    pub offset: u32,
    /// What a fault there means.
    pub reason: TrapReason,
}

/// Start of a run of machine code that belongs to one Wasm instruction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SourcePosition {
    /// Offset from the start of the code, in bytes.
    pub code_offset: u32,
    /// Offset of the instruction in the module's bytes, or [`SourcePosition::NONE`] for code that has none.
    pub wasm_offset: u32,
}

impl SourcePosition {
    /// The `wasm_offset` of prologues, islands and the like.
    pub const NONE: u32 = u32::MAX;
}

/// Position-independent machine code of one function or stub, with its tables. Plain data: making it executable is the
/// code manager's work.
#[derive(Clone, Default, Debug)]
pub struct CompiledCode {
    /// The machine code. It refers to nothing by address: all it needs it finds through its instance context.
    pub bytes: Vec<u8>,
    /// Required alignment of the first byte, a power of two.
    pub alignment: u32,
    /// Trap sites, by ascending offset.
    pub traps: Vec<TrapSite>,
    /// Positions, by ascending code offset; a position holds up to the next one.
    pub positions: Vec<SourcePosition>,
    /// Bytes of stack that one frame takes, frame pointer and return address included.
    pub frame_size: u32,
}

impl CompiledCode {
    /// The reason of the trap at `offset`, if the instruction there may trap.
    pub fn trap_at(&self, offset: u32) -> Option<TrapReason> {
        let at = self.traps.binary_search_by_key(&offset, |site| site.offset).ok()?;
        Some(self.traps[at].reason)
    }
}
