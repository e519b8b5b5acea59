//! `Import`: what is given for one import of a module.

use std::ptr::NonNull;
use std::sync::Arc;

use abi::layout::FuncRef;

use crate::func::HostFunction;
use crate::ids::{GlobalId, MemoryId, TableId};

/// What is given for one import.
#[derive(Clone, Debug)]
pub enum Import {
    /// A function of the store.
    Func(NonNull<FuncRef>),
    /// A host function of no store in particular.
    Host(Arc<HostFunction>),
    /// A table of the store.
    Table(TableId),
    /// A memory of the store.
    Memory(MemoryId),
    /// A global of the store.
    Global(GlobalId),
}
