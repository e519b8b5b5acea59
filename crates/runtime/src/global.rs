//! Globals: a cell of 16 bytes that compiled code reads and writes in place.

use abi::layout::GlobalCell;
use wasm::heap;
use wasm::types::GlobalType;

/// A global of a store.
#[derive(Debug)]
pub struct Global {
    ty: GlobalType,
    cell: *mut GlobalCell,
    /// The cell, when no instance context holds it.
    _own: Option<Box<GlobalCell>>,
}

impl Global {
    /// A global that owns its cell, with this value.
    pub fn host(ty: GlobalType, bits: u128) -> Global {
        let mut own = Box::new(GlobalCell { bits });
        let cell = &raw mut *own;
        Global { ty, cell, _own: Some(own) }
    }

    /// A global whose cell lies in an instance context that outlives it.
    pub fn defined(ty: GlobalType, cell: *mut GlobalCell) -> Global {
        Global { ty, cell, _own: None }
    }

    /// What it owns takes, in bytes.
    pub fn heap_bytes(&self) -> usize {
        self._own.as_deref().map_or(0, |cell| heap::block(size_of_val(cell)))
    }

    /// Its type.
    pub fn ty(&self) -> GlobalType {
        self.ty
    }

    /// The cell.
    pub fn cell(&self) -> *mut GlobalCell {
        self.cell
    }

    /// Its value.
    pub fn get(&self) -> u128 {
        // SAFETY: the cell is ours or an instance context's of the same store, which owns `self`.
        unsafe { (*self.cell).bits }
    }

    /// Sets the value; the type and mutability were checked by the caller.
    pub fn set(&mut self, bits: u128) {
        // SAFETY: as in `get`.
        unsafe { (*self.cell).bits = bits };
    }
}
