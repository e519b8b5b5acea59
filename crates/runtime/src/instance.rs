//! `Instance`: a module in a store, with the context that its compiled code runs on.

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::ptr::NonNull;
use std::sync::Arc;

use abi::layout::{FuncImport, FuncRef, HostContext, InstanceHeader, Place};
use code::native_module::NativeModule;
use wasm::heap;
use wasm::types::{DataIndex, ElemIndex, FuncIndex, GlobalIndex, MemoryIndex, TableIndex};

use crate::ids::{GlobalId, InstanceId, MemoryId, TableId};

/// The memory of an instance context: zeroed, 16-aligned, at the same address until dropped.
#[derive(Debug)]
pub(crate) struct ContextMemory {
    start: NonNull<u8>,
    layout: Layout,
}

impl ContextMemory {
    pub(crate) fn new(size: usize) -> ContextMemory {
        let layout = Layout::from_size_align(size.max(16), 16).expect("the module's limits keep contexts below 2^31");
        // SAFETY: the layout is not empty.
        let start = NonNull::new(unsafe { alloc_zeroed(layout) });
        ContextMemory { start: start.unwrap_or_else(|| handle_alloc_error(layout)), layout }
    }

    /// The field of type `T` at `offset`.
    pub(crate) fn at<T>(&self, offset: u32) -> *mut T {
        assert!(offset as usize + size_of::<T>() <= self.layout.size(), "instance layout and context disagree");
        // SAFETY: just checked to lie in the allocation.
        unsafe { self.start.as_ptr().add(offset as usize).cast() }
    }

    /// What it takes, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        heap::block(self.layout.size())
    }

    pub(crate) fn as_ptr(&self) -> *mut u8 {
        self.start.as_ptr()
    }
}

impl Drop for ContextMemory {
    fn drop(&mut self) {
        // SAFETY: allocated in `new` with this layout.
        unsafe { dealloc(self.start.as_ptr(), self.layout) };
    }
}

/// A module in a store.
#[derive(Debug)]
pub struct Instance {
    pub(crate) id: InstanceId,
    pub(crate) module: Arc<NativeModule>,
    pub(crate) context: ContextMemory,
    pub(crate) memories: Box<[MemoryId]>,
    pub(crate) tables: Box<[TableId]>,
    pub(crate) globals: Box<[GlobalId]>,
    /// Contexts of the host functions it imports, bound to it; compiled code points into this.
    pub(crate) host_contexts: Box<[HostContext]>,
    /// Data segments that count as empty: dropped, or active and applied. Empty while none is.
    pub(crate) dropped_data: Vec<bool>,
    /// Element segments that count as empty.
    pub(crate) dropped_elements: Vec<bool>,
}

impl Instance {
    /// The instance whose context this is.
    ///
    /// # Safety
    /// `vmctx` is the context of an instance in a live store, which nobody else uses while the result lives.
    pub(crate) unsafe fn of_context<'a>(vmctx: *mut u8) -> &'a mut Instance {
        // SAFETY: instantiation put the instance's address there; instances are boxed and never move.
        unsafe { &mut *(*vmctx.cast::<InstanceHeader>()).instance.cast() }
    }

    /// The number of the instance whose context this is.
    ///
    /// # Safety
    /// `vmctx` is the context of an instance in a live store.
    #[inline]
    pub unsafe fn id_of_context(vmctx: *mut u8) -> InstanceId {
        // SAFETY: as in `of_context`; only read.
        unsafe { (*(*vmctx.cast::<InstanceHeader>()).instance.cast::<Instance>()).id }
    }

    /// The module.
    pub fn module(&self) -> &Arc<NativeModule> {
        &self.module
    }

    /// The context that compiled code gets.
    pub fn vmctx(&self) -> *mut u8 {
        self.context.as_ptr()
    }

    /// The memory of this index.
    pub fn memory(&self, index: MemoryIndex) -> MemoryId {
        self.memories[index.index()]
    }

    /// The table of this index.
    pub fn table(&self, index: TableIndex) -> TableId {
        self.tables[index.index()]
    }

    /// The global of this index.
    pub fn global(&self, index: GlobalIndex) -> GlobalId {
        self.globals[index.index()]
    }

    /// The reference to a function, if it is one of those that can be referred to.
    pub fn func_ref(&self, index: FuncIndex) -> Option<NonNull<FuncRef>> {
        let offset = self.module.layout().func_ref(index)?;
        NonNull::new(self.context.at::<FuncRef>(offset))
    }

    /// How to call a function of the index space, whether or not it can be referred to. The type is left out.
    pub fn callee(&self, index: FuncIndex) -> FuncRef {
        let layout = self.module.layout();
        match self.module.info().defined_func_index(index) {
            Some(defined) => {
                let slot = self.module.table().slot(defined);
                FuncRef { slot, vmctx: self.vmctx(), type_id: u32::MAX, is_host: 0 }
            }
            None => {
                // SAFETY: instantiation filled in the import at this offset.
                let FuncImport { slot, vmctx } = unsafe { *self.context.at(layout.func_import(index)) };
                FuncRef { slot, vmctx, type_id: u32::MAX, is_host: 0 }
            }
        }
    }

    /// Does this data segment count as empty?
    pub(crate) fn data_dropped(&self, index: DataIndex) -> bool {
        self.dropped_data.get(index.index()).copied().unwrap_or(false)
    }

    /// Does this element segment count as empty?
    pub(crate) fn elements_dropped(&self, index: ElemIndex) -> bool {
        self.dropped_elements.get(index.index()).copied().unwrap_or(false)
    }

    pub(crate) fn drop_data(&mut self, index: DataIndex) {
        mark(&mut self.dropped_data, index.index());
    }

    pub(crate) fn drop_elements(&mut self, index: ElemIndex) {
        mark(&mut self.dropped_elements, index.index());
    }

    /// Fills in the pointer to an imported entity's definition.
    pub(crate) fn import_pointer<T>(context: &ContextMemory, place: Place, definition: *mut T) {
        if let Place::Imported(offset) = place {
            // SAFETY: the layout has a pointer at this offset, in a context under construction.
            unsafe { *context.at::<*mut T>(offset) = definition };
        }
    }
}

fn mark(marks: &mut Vec<bool>, index: usize) {
    if marks.len() <= index {
        marks.resize(index + 1, false);
    }
    marks[index] = true;
}
