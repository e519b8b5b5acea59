//! Calls of host functions: the context that an exit stub gets, what the shim finds through it, and how the shim says that
//! the thread leaves Wasm and comes back, which are safepoints ([`crate::interrupt`]).

use std::sync::Arc;

use abi::layout::{FuncRef, HostContext, StoreContext};

use crate::call::{raise, set_pending};
use crate::func::{HostEntity, HostFunction};
use crate::interrupt::{answer, handle_caught, offer_next};
use crate::requests::AT_BORDER;
use crate::store::Store;
use crate::stores::{Answer, words};

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

/// The thread leaves Wasm for a host function. True if it shall not be called: a failure is pending, to be raised.
///
/// # Safety
/// `context` is that of a live, pinned store whose Wasm called a host function on this thread, through its exit stub; nobody
/// uses the store.
#[inline]
#[must_use]
pub unsafe fn leave(context: *mut StoreContext) -> bool {
    // SAFETY: promised by the caller.
    unsafe {
        let words = words(context);
        words.depart(0);
        words.pending() & AT_BORDER != 0 && leave_slowly(context)
    }
}

/// # Safety
/// As for [`leave`].
#[cold]
#[inline(never)]
unsafe fn leave_slowly(context: *mut StoreContext) -> bool {
    // SAFETY: promised by the caller.
    unsafe {
        let words = words(context);
        words.arrive();
        offer_next(context);
        if let Err(failure) = handle_caught(context, Answer::Crossing) {
            set_pending(context, failure);
            return true;
        }
        words.depart(0);
        answer(context, Answer::Crossing);
        false
    }
}

/// The thread comes back from a host function, which has `failed` and left a failure, or not. True if a failure is pending.
///
/// # Safety
/// As for [`leave`], which came before.
#[inline]
#[must_use]
pub unsafe fn come_back(context: *mut StoreContext, failed: bool) -> bool {
    // SAFETY: promised by the caller.
    unsafe {
        let words = words(context);
        words.arrive();
        if words.pending() & AT_BORDER != 0 { come_back_slowly(context, failed) } else { failed }
    }
}

/// # Safety
/// As for [`come_back`].
#[cold]
#[inline(never)]
unsafe fn come_back_slowly(context: *mut StoreContext, failed: bool) -> bool {
    // SAFETY: promised by the caller.
    unsafe {
        if failed {
            answer(context, Answer::Crossing);
            return true;
        }
        offer_next(context);
        if let Err(failure) = handle_caught(context, Answer::Crossing) {
            set_pending(context, failure);
            return true;
        }
        offer_next(context);
        false
    }
}

/// Runs work that is none of a host function's as if it were the host's: the embedder's, or what takes long. The thread leaves
/// Wasm for it and comes back, also by a panic, so that others can answer for the store meanwhile.
///
/// # Safety
/// `context` is that of a live, pinned store whose Wasm called the runtime on this thread, through a trampoline. The work
/// uses no code pointer from before.
pub(crate) unsafe fn in_host<R>(context: *mut StoreContext, work: impl FnOnce() -> R) -> R {
    struct Away(*mut StoreContext);
    impl Drop for Away {
        fn drop(&mut self) {
            // SAFETY: as below.
            unsafe {
                words(self.0).arrive();
                answer(self.0, Answer::Crossing);
            }
        }
    }
    // SAFETY: promised by the caller.
    unsafe {
        words(context).depart(0);
        answer(context, Answer::Crossing);
    }
    let _away = Away(context);
    work()
}

/// Adds a host function that belongs to no instance; the result is a reference to it.
pub fn add_host_function(store: &mut Store, function: Arc<HostFunction>) -> *mut FuncRef {
    let context = context(&function, store.context(), std::ptr::null_mut());
    let func_ref = FuncRef { slot: function.slot(), distance: 0, type_id: function.type_id.0, is_host: 1 };
    let mut entity = Box::new(HostEntity { function, context, func_ref });
    let reference = &raw mut entity.func_ref;
    entity.func_ref.distance = FuncRef::distance_to(reference, (&raw mut entity.context).cast());
    store.hold_entity(entity);
    reference
}
