//! `CodeTable`: one code pointer per defined function of a module, the only way to reach its code.

use std::sync::atomic::{AtomicPtr, Ordering};

use wasm::types::DefinedFuncIndex;

use crate::space::SpaceError;
use crate::stubs::LazyStubs;

/// The code pointers of a module. Compiled code loads them on every call, so publishing is one store.
#[derive(Debug)]
pub struct CodeTable {
    slots: Box<[AtomicPtr<u8>]>,
}

impl CodeTable {
    /// A table whose every slot leads to the function's lazy stub.
    ///
    /// # Errors
    /// When there is no code memory for the stubs.
    pub fn new(stubs: &LazyStubs, functions: usize) -> Result<CodeTable, SpaceError> {
        let mut slots = Vec::with_capacity(functions);
        stubs.for_each(functions, |stub| slots.push(AtomicPtr::new(stub.cast_mut())))?;
        Ok(CodeTable { slots: slots.into() })
    }

    /// Address of the first slot; stays the same for the life of the table.
    pub fn as_ptr(&self) -> *const *const u8 {
        self.slots.as_ptr().cast()
    }

    /// Address of a function's slot.
    pub fn slot(&self, function: DefinedFuncIndex) -> *const *const u8 {
        (&raw const self.slots[function.index()]).cast()
    }

    /// The code pointer of a function.
    pub fn get(&self, function: DefinedFuncIndex) -> *const u8 {
        self.slots[function.index()].load(Ordering::Acquire)
    }

    /// Makes code reachable: every call from now on takes it.
    pub(crate) fn publish(&self, function: DefinedFuncIndex, code: *const u8) {
        self.slots[function.index()].store(code.cast_mut(), Ordering::Release);
    }

    /// Number of functions.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Has the module no functions of its own?
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }
}
