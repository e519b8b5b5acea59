//! `Instance`: a module in a store, with the context that its compiled code runs on.

use std::ptr::NonNull;
use std::sync::Arc;

use abi::layout::{FuncImport, FuncRef, HostContext, InstanceHeader, Place};
use code::native_module::NativeModule;
use wasm::module::{DataMode, ElementMode};
use wasm::types::{DataIndex, ElemIndex, FuncIndex, GlobalIndex, MemoryIndex, TableIndex};

use crate::context_memory::ContextMemory;
use crate::emptied::Emptied;
use crate::ids::{GlobalId, InstanceId, MemoryId, TableId};

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
    pub(crate) emptied_data: Emptied,
    pub(crate) emptied_elements: Emptied,
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

    /// How to call a function of the index space, whether or not it can be referred to.
    pub fn callee(&self, index: FuncIndex) -> FuncImport {
        match self.module.info().defined_func_index(index) {
            Some(defined) => FuncImport { slot: self.module.table().slot(defined), vmctx: self.vmctx() },
            // SAFETY: instantiation filled in the import at this offset.
            None => unsafe { *self.context.at(self.module.layout().func_import(index)) },
        }
    }

    /// Does this data segment count as empty?
    pub(crate) fn data_dropped(&self, index: DataIndex) -> bool {
        let is_passive = matches!(self.module.info().data[index.index()].mode, DataMode::Passive);
        self.emptied_data.contains(index.index(), is_passive)
    }

    /// Does this element segment count as empty?
    pub(crate) fn elements_dropped(&self, index: ElemIndex) -> bool {
        let is_passive = matches!(self.module.info().elements[index.index()].mode, ElementMode::Passive);
        self.emptied_elements.contains(index.index(), is_passive)
    }

    /// Fills in the pointer to an imported entity's definition.
    pub(crate) fn import_pointer<T>(context: &ContextMemory, place: Place, definition: *mut T) {
        if let Place::Imported(offset) = place {
            // SAFETY: the layout has a pointer at this offset, in a context under construction.
            unsafe { *context.at::<*mut T>(offset) = definition };
        }
    }
}
