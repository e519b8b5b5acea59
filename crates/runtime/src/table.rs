//! Tables: arrays of references that compiled code reads and writes in place.

use std::alloc::{Layout, alloc_zeroed};
use std::ops::Range;

use abi::layout::TableDefinition;
use abi::trap::TrapReason;
use wasm::heap;
use wasm::types::{HeapType, TableType};

use crate::error::ResourceError;

#[cfg(test)]
mod tests;

/// Most elements a table may have, whatever it declares (V8's limit).
pub const MAX_ELEMENTS: u64 = 10_000_000;

/// The elements, in the width of their kind.
#[derive(Debug)]
enum Elements {
    /// Addresses of function references; 0 is null.
    Functions(Vec<u64>),
    /// Offsets into the store's heap; 0 is null.
    Others(Vec<u32>),
}

/// A table of a store.
#[derive(Debug)]
pub struct Table {
    ty: TableType,
    elements: Elements,
    definition: *mut TableDefinition,
    /// The definition, when no instance context holds it.
    own: Option<Box<TableDefinition>>,
}

impl Table {
    /// A table of its minimum size, every element `init`. Its definition is its own until [`Table::place_at`].
    ///
    /// # Errors
    /// When it is larger than [`MAX_ELEMENTS`] or memory is out.
    pub fn new(ty: TableType, init: u64) -> Result<Table, ResourceError> {
        let functions = matches!(ty.element.heap, HeapType::Func | HeapType::NoFunc | HeapType::Concrete(_));
        let elements = if functions { Elements::Functions(Vec::new()) } else { Elements::Others(Vec::new()) };
        let mut own = Box::new(TableDefinition { base: std::ptr::null_mut(), length: 0 });
        let definition = &raw mut *own;
        let mut table = Table { ty, elements, definition, own: Some(own) };
        if ty.min > MAX_ELEMENTS {
            return Err(ResourceError::TableOverLimit { elements: ty.min, limit: MAX_ELEMENTS });
        }
        if !table.extend(ty.min as usize, init) {
            return Err(ResourceError::TableAllocation(ty.min));
        }
        Ok(table)
    }

    /// Moves the definition into an instance context that outlives the table.
    pub(crate) fn place_at(&mut self, definition: *mut TableDefinition) {
        self.definition = definition;
        self.own = None;
        self.refresh();
    }

    /// The type it was made with.
    pub fn ty(&self) -> TableType {
        self.ty
    }

    /// What compiled code sees.
    pub fn definition(&self) -> *mut TableDefinition {
        self.definition
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        match &self.elements {
            Elements::Functions(elements) => elements.len(),
            Elements::Others(elements) => elements.len(),
        }
    }

    /// What its elements take, in bytes.
    pub fn heap_bytes(&self) -> usize {
        match &self.elements {
            Elements::Functions(elements) => heap::vec(elements),
            Elements::Others(elements) => heap::vec(elements),
        }
    }

    /// Has it no elements?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The element at `index`.
    pub fn get(&self, index: u64) -> Option<u64> {
        let index = usize::try_from(index).ok()?;
        match &self.elements {
            Elements::Functions(elements) => elements.get(index).copied(),
            Elements::Others(elements) => elements.get(index).map(|&element| u64::from(element)),
        }
    }

    /// Sets the element at `index`; false if there is none.
    pub fn set(&mut self, index: u64, value: u64) -> bool {
        self.fill(index, value, 1).is_ok()
    }

    /// Adds `delta` elements; gives the old size, or none if the table may not grow so far.
    pub fn grow(&mut self, delta: u64, init: u64) -> Option<u64> {
        let old = self.len() as u64;
        let new = old.checked_add(delta)?;
        if new > self.ty.max.unwrap_or(MAX_ELEMENTS).min(MAX_ELEMENTS) || !self.extend(delta as usize, init) {
            return None;
        }
        Some(old)
    }

    /// The range of `len` elements from `start`.
    ///
    /// # Errors
    /// A trap if they are not all there.
    pub fn range(&self, start: u64, len: u64) -> Result<Range<usize>, TrapReason> {
        bounds(start, len, self.len())
    }

    /// Sets `len` elements from `dst`.
    ///
    /// # Errors
    /// A trap, with nothing written, if they are not all there.
    pub fn fill(&mut self, dst: u64, value: u64, len: u64) -> Result<(), TrapReason> {
        let range = bounds(dst, len, self.len())?;
        match &mut self.elements {
            Elements::Functions(elements) => elements[range].fill(value),
            Elements::Others(elements) => elements[range].fill(value as u32),
        }
        Ok(())
    }

    /// Writes `values` from `dst`.
    ///
    /// # Errors
    /// A trap, with nothing written, if they do not all fit.
    pub fn write(&mut self, dst: u64, values: &[u64]) -> Result<(), TrapReason> {
        let range = bounds(dst, values.len() as u64, self.len())?;
        match &mut self.elements {
            Elements::Functions(elements) => elements[range].copy_from_slice(values),
            Elements::Others(elements) => {
                elements[range].iter_mut().zip(values).for_each(|(element, &value)| *element = value as u32);
            }
        }
        Ok(())
    }

    /// Reads `len` elements from `src`.
    ///
    /// # Errors
    /// A trap if they are not all there.
    pub fn read(&self, src: u64, len: u64) -> Result<Vec<u64>, TrapReason> {
        let range = bounds(src, len, self.len())?;
        Ok(match &self.elements {
            Elements::Functions(elements) => elements[range].to_vec(),
            Elements::Others(elements) => elements[range].iter().map(|&element| u64::from(element)).collect(),
        })
    }

    /// Copies within the table; the ranges may overlap.
    ///
    /// # Errors
    /// A trap, with nothing written, if either range leaves the table.
    pub fn copy_within(&mut self, dst: u64, src: u64, len: u64) -> Result<(), TrapReason> {
        let source = bounds(src, len, self.len())?;
        let target = bounds(dst, len, self.len())?;
        match &mut self.elements {
            Elements::Functions(elements) => elements.copy_within(source, target.start),
            Elements::Others(elements) => elements.copy_within(source, target.start),
        }
        Ok(())
    }

    fn extend(&mut self, delta: usize, init: u64) -> bool {
        let grown = match &mut self.elements {
            Elements::Functions(elements) => extend(elements, delta, init),
            Elements::Others(elements) => extend(elements, delta, init as u32),
        };
        self.refresh();
        grown
    }

    /// Tells compiled code where the elements are now.
    fn refresh(&mut self) {
        let length = self.len();
        let base = match &mut self.elements {
            Elements::Functions(elements) => elements.as_mut_ptr().cast(),
            Elements::Others(elements) => elements.as_mut_ptr().cast(),
        };
        // SAFETY: the definition is our own or lies in an instance context of the store that owns `self`.
        unsafe { *self.definition = TableDefinition { base, length } };
    }
}

fn extend<T: Element>(elements: &mut Vec<T>, delta: usize, init: T) -> bool {
    if elements.is_empty() && init == T::NULL {
        let Some(zeroed) = zeroed(delta) else { return false };
        *elements = zeroed;
        return true;
    }
    if elements.try_reserve(delta).is_err() {
        return false;
    }
    elements.resize(elements.len() + delta, init);
    true
}

/// An element in the width of its kind.
///
/// # Safety
/// A value whose bytes are all zero is valid, and is [`Element::NULL`].
unsafe trait Element: Copy + PartialEq {
    const NULL: Self;
}

// SAFETY: an integer.
unsafe impl Element for u64 {
    const NULL: u64 = 0;
}

// SAFETY: an integer.
unsafe impl Element for u32 {
    const NULL: u32 = 0;
}

/// Null elements in pages that the system gives out when they are first written: large tables are mostly empty. None if
/// memory is out.
fn zeroed<T: Element>(count: usize) -> Option<Vec<T>> {
    let layout = Layout::array::<T>(count).ok()?;
    if layout.size() == 0 {
        return Some(Vec::new());
    }
    // SAFETY: the layout is not empty.
    let start = unsafe { alloc_zeroed(layout) }.cast::<T>();
    // SAFETY: allocated by the global allocator with the layout of `count` elements, all of which are valid as zeros.
    (!start.is_null()).then(|| unsafe { Vec::from_raw_parts(start, count, count) })
}

fn bounds(start: u64, len: u64, size: usize) -> Result<Range<usize>, TrapReason> {
    let end = start.checked_add(len).filter(|&end| end <= size as u64).ok_or(TrapReason::TableOutOfBounds)?;
    Ok(start as usize..end as usize)
}
