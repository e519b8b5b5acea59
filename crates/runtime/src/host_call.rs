//! Calls of host functions: the context that an exit stub gets, and what the shim finds through it.

use std::sync::Arc;

use abi::layout::{FuncRef, HostContext, StoreContext};

use crate::call::raise;
use crate::func::{HostEntity, HostFunction};
use crate::store::Store;

/// The context through which `caller` (null: nobody in particular) calls `function` in the store of `store`.
pub(crate) fn context(function: &Arc<HostFunction>, store: *mut StoreContext, caller: *mut u8) -> HostContext {
    HostContext {
        store,
        function: function.shim as *const u8,
        raise: raise as *const u8,
        caller,
        data: Arc::as_ptr(function).cast(),
    }
}

/// The data pointer of the store that a call is made in, and the context of the instance that makes it (or null).
///
/// # Safety
/// `context` is that of a host call in a store that lives.
#[inline]
pub unsafe fn caller(context: *const HostContext) -> (*mut u8, *mut u8) {
    // SAFETY: promised by the caller; a pinned store's context leads to it.
    unsafe { ((*(*(*context).store).store.cast::<Store>()).data(), (*context).caller) }
}

/// Adds a host function that belongs to no instance; the result is a reference to it.
pub fn add_host_function(store: &mut Store, function: Arc<HostFunction>) -> *mut FuncRef {
    let context = context(&function, store.context(), std::ptr::null_mut());
    let func_ref =
        FuncRef { slot: function.slot(), vmctx: std::ptr::null_mut(), type_id: function.type_id.0, is_host: 1 };
    let mut entity = Box::new(HostEntity { function, context, func_ref });
    entity.func_ref.vmctx = (&raw mut entity.context).cast();
    let reference = &raw mut entity.func_ref;
    store.hold_entity(entity);
    reference
}
