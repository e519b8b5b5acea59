//! A code object: machine code of one function or stub in one tier, with its tables.

use std::sync::Weak;

use abi::compiled::{CompiledCode, FrameStart, InlinedCall, SourcePosition, TrapSite};
use abi::tier::Tier;
use abi::trap::TrapReason;
use wasm::heap;
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
        /// The offset in the module of the loop that it starts in, if it is an OSR entry.
        osr: Option<u32>,
        /// Thread time that compiling it took, in nanoseconds.
        compile_nanos: u64,
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
    inlining: Option<Box<Inlining>>,
}

/// The tables of code that has calls inlined.
#[derive(Debug)]
struct Inlining {
    calls: Box<[InlinedCall]>,
    /// Which code belongs to which frame: a position table with frames in place of offsets.
    frames: Positions,
}

/// A function that was executing at some address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ActiveFunction {
    /// The function.
    pub function: DefinedFuncIndex,
    /// Offset in the module's bytes of the instruction that was executing; none in a prologue.
    pub offset: Option<u32>,
}

impl Code {
    /// Gives placed code its tables.
    pub(crate) fn new(placement: Placement, kind: CodeKind, compiled: CompiledCode) -> Code {
        let inlining = (!compiled.frames.is_empty()).then(|| {
            let position =
                |start: &FrameStart| SourcePosition { code_offset: start.code_offset, wasm_offset: start.frame };
            let frames: Vec<SourcePosition> = compiled.frames.iter().map(position).collect();
            Box::new(Inlining { calls: compiled.inlined.into(), frames: Positions::new(&frames) })
        });
        let positions = Positions::new(&compiled.positions);
        Code { placement, kind, traps: compiled.traps.into(), positions, inlining }
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

    /// The functions that are executing at this address, innermost first: those whose calls were inlined, then the one
    /// that this is the code of. None for stubs.
    pub fn active_functions(&self, pc: usize) -> impl Iterator<Item = ActiveFunction> + '_ {
        let calls = self.inlining.as_deref().map_or(&[][..], |inlining| &inlining.calls);
        let mut frame = match (&self.kind, &self.inlining) {
            (CodeKind::EntryStub | CodeKind::ExitStub, _) => None,
            (CodeKind::Function { .. }, None) => Some(0),
            (CodeKind::Function { .. }, Some(inlining)) => {
                let offset = pc.checked_sub(self.placement.start()).and_then(|offset| u32::try_from(offset).ok());
                Some(offset.and_then(|offset| inlining.frames.find(offset)).unwrap_or(0))
            }
        };
        let mut offset = self.wasm_offset(pc);
        std::iter::from_fn(move || {
            let inlined = frame?.checked_sub(1).and_then(|call| calls.get(call as usize));
            let (function, next) = match (inlined, &self.kind) {
                (Some(call), _) => (call.function, Some(call)),
                (None, CodeKind::Function { function, .. }) => (*function, None),
                (None, CodeKind::EntryStub | CodeKind::ExitStub) => return None,
            };
            let active = ActiveFunction { function, offset };
            // Parents have lower numbers, so this ends.
            frame = next.map(|call| call.parent);
            offset = next.map(|call| call.wasm_offset);
            Some(active)
        })
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
        let inlining = self.inlining.as_deref().map_or(0, |inlining| {
            heap::block(size_of::<Inlining>()) + heap::slice(&inlining.calls) + inlining.frames.heap_bytes()
        });
        heap::shared(self) + heap::slice(&self.traps) + self.positions.heap_bytes() + inlining
    }

    /// Bytes of code memory that it takes, with its header and padding.
    pub fn footprint(&self) -> usize {
        self.placement.footprint()
    }
}

#[cfg(test)]
mod tests;
