//! The bodies of the builtins: what compiled code calls for the operators it does not inline. Their trampolines record
//! the exit frame, and raise what they leave pending.

mod memory;
mod pieces;
mod store;
mod table;
mod tiering;

pub(crate) use memory::{data_drop, init as memory_init_from, memory_copy, memory_fill, memory_grow, memory_init};
pub(crate) use store::{new_epoch, out_of_fuel, raise_trap};
pub(crate) use table::{elem_drop, init as table_init_from, table_copy, table_fill, table_grow, table_init};
pub(crate) use tiering::loop_tier_up;

use std::panic::{AssertUnwindSafe, catch_unwind};

use abi::layout::{InstanceHeader, StoreContext};
use sys::trampolines::BuiltinResult;

use crate::call::set_pending;
use crate::error::Failure;
use crate::host_call::in_host;
use crate::instance::Instance;
use crate::store::Store;

/// Runs a builtin's work on the instance and store of a context. A panic in it (of the embedder's limiter, say) waits to
/// be resumed outside Wasm, as one of a host function does.
///
/// # Safety
/// `vmctx` is the context of a live instance whose code called a builtin on this thread.
unsafe fn run<E: Into<Failure>>(
    vmctx: *mut u8,
    work: impl FnOnce(&mut Instance, &mut Store) -> Result<u64, E>,
) -> BuiltinResult {
    // SAFETY: promised by the caller. The instance is boxed in the store, which does not touch its box while the work
    // has it: the work uses the store's memories, tables and globals only.
    let (context, instance, store) = unsafe {
        let context: *mut StoreContext = (*vmctx.cast::<InstanceHeader>()).store;
        (context, Instance::of_context(vmctx), Store::of_context(context))
    };
    let outcome = catch_unwind(AssertUnwindSafe(|| work(instance, store).map_err(Into::into)));
    // SAFETY: the builtin's trampoline recorded the exit frame.
    unsafe { finish(context, outcome.unwrap_or_else(|panic| Err(Failure::Panic(panic)))) }
}

/// [`run`], as if it were the host's: nobody waits for it.
///
/// # Safety
/// As for [`run`].
unsafe fn run_in_host<E: Into<Failure>>(
    vmctx: *mut u8,
    work: impl FnOnce(&mut Instance, &mut Store) -> Result<u64, E>,
) -> BuiltinResult {
    // SAFETY: promised by the caller; builtins hold no code pointers.
    unsafe {
        let context = context(vmctx);
        run(vmctx, |instance, store| in_host(context, || work(instance, store)))
    }
}

/// What an instance's store shares with compiled code.
///
/// # Safety
/// As for [`run`].
unsafe fn context(vmctx: *mut u8) -> *mut StoreContext {
    // SAFETY: promised by the caller.
    unsafe { (*vmctx.cast::<InstanceHeader>()).store }
}

/// What a builtin returns; a failure waits in the store to be raised.
///
/// # Safety
/// `context` is that of a live, pinned store whose code called a builtin on this thread.
unsafe fn finish(context: *mut StoreContext, outcome: Result<u64, Failure>) -> BuiltinResult {
    match outcome {
        Ok(value) => BuiltinResult::ok(value),
        Err(failure) => {
            // SAFETY: promised by the caller.
            unsafe { set_pending(context, failure) };
            BuiltinResult::failed()
        }
    }
}
