//! What a compiler gives: machine code as bytes, and the tables that belong to it.

use wasm::heap;
use wasm::types::DefinedFuncIndex;

use crate::feedback::ProfileTable;
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

/// A call that was replaced by the callee's code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InlinedCall {
    /// The frame it was called from: 0 is the compiled function's own, `n` the one of the inlined call `n - 1`. Always of a
    /// lower number than this call's own.
    pub parent: u32,
    /// The function called.
    pub function: DefinedFuncIndex,
    /// Offset of the call operator in the module.
    pub wasm_offset: u32,
}

/// Start of a run of machine code that belongs to one frame, of the function itself or of an inlined call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FrameStart {
    /// Offset from the start of the code, in bytes.
    pub code_offset: u32,
    /// The frame: 0 is the function's own, `n` the one of the inlined call `n - 1`.
    pub frame: u32,
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
    /// The calls that were inlined.
    pub inlined: Vec<InlinedCall>,
    /// Which code belongs to which frame, by ascending code offset; empty when nothing was inlined. A run holds up to the
    /// next one, and code in front of the first is of frame 0.
    pub frames: Vec<FrameStart>,
    /// What the code needs of the module's profile.
    pub profile: ProfileTable,
    /// Bytes of stack that one frame takes, frame pointer and return address included.
    pub frame_size: u32,
}

impl CompiledCode {
    /// What it owns, in bytes.
    pub fn heap_bytes(&self) -> usize {
        let CompiledCode { bytes, traps, positions, inlined, frames, profile, alignment: _, frame_size: _ } = self;
        heap::vec(bytes)
            + heap::vec(traps)
            + heap::vec(positions)
            + heap::vec(inlined)
            + heap::vec(frames)
            + profile.heap_bytes()
    }

    /// The reason of the trap at `offset`, if the instruction there may trap.
    pub fn trap_at(&self, offset: u32) -> Option<TrapReason> {
        let at = self.traps.binary_search_by_key(&offset, |site| site.offset).ok()?;
        Some(self.traps[at].reason)
    }
}
