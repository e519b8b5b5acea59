//! A code object: machine code of one function or stub in one tier, with its tables.

use std::sync::Weak;

use abi::compiled::TrapSite;
use abi::tier::Tier;
use abi::trap::TrapReason;
use wasm::types::DefinedFuncIndex;

use crate::native_module::NativeModule;
use crate::positions::Positions;
use crate::space::{CodeSpace, Placement};

/// What a code object is the code of.
#[derive(Debug)]
pub enum CodeKind {
    /// A function of a module.
    Function {
        /// The module. Weak, as the module owns its code; alive while the code can run.
        module: Weak<NativeModule>,
        /// Which function.
        function: DefinedFuncIndex,
        /// The tier that made it.
        tier: Tier,
    },
    /// A stub through which the host enters functions of one type.
    EntryStub,
    /// A stub through which compiled code calls host functions of one type.
    ExitStub,
}

/// Machine code in a [`CodeSpace`]. Freed when dropped: whoever holds one keeps the code alive.
#[derive(Debug)]
pub struct Code {
    placement: Placement,
    kind: CodeKind,
    traps: Box<[TrapSite]>,
    positions: Positions,
}

impl Code {
    pub(crate) fn new(placement: Placement, kind: CodeKind, traps: Box<[TrapSite]>, positions: Positions) -> Code {
        Code { placement, kind, traps, positions }
    }

    /// Address of the first instruction.
    pub fn entry(&self) -> *const u8 {
        self.placement.start() as *const u8
    }

    /// Length of the machine code in bytes.
    pub fn len(&self) -> usize {
        self.placement.len()
    }

    /// Is there no code? Never so for a compiled function.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What this is the code of.
    pub fn kind(&self) -> &CodeKind {
        &self.kind
    }

    /// The space that holds it.
    pub fn space(&self) -> &CodeSpace {
        self.placement.space()
    }

    /// The machine code.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: the placement covers `len` initialised bytes of the readable view, which nobody writes until the
        // placement is dropped, and it outlives the borrow of `self`.
        unsafe { std::slice::from_raw_parts(self.entry(), self.len()) }
    }

    /// The reason of a trap at this address, if the instruction there may trap.
    pub fn trap_at(&self, pc: usize) -> Option<TrapReason> {
        let offset = u32::try_from(pc.checked_sub(self.placement.start())?).ok()?;
        let at = self.traps.binary_search_by_key(&offset, |site| site.offset).ok()?;
        Some(self.traps[at].reason)
    }

    /// Offset in the module's bytes of the Wasm instruction at this address.
    pub fn wasm_offset(&self, pc: usize) -> Option<u32> {
        self.positions.find(u32::try_from(pc.checked_sub(self.placement.start())?).ok()?)
    }

    /// The position table.
    pub fn positions(&self) -> &Positions {
        &self.positions
    }

    /// The trap table.
    pub fn traps(&self) -> &[TrapSite] {
        &self.traps
    }

    /// Bytes of metadata beside the code.
    pub fn metadata_size(&self) -> usize {
        size_of::<Code>() + self.traps.len() * size_of::<TrapSite>() + self.positions.size()
    }
}
