//! The bodies of the builtins: what compiled code calls for the operators it does not inline. Their trampolines record
//! the exit frame, and raise what they leave pending.

mod memory;
mod store;
mod table;

pub(crate) use memory::{data_drop, init as memory_init_from, memory_copy, memory_fill, memory_grow, memory_init};
pub(crate) use store::{new_epoch, out_of_fuel, raise_trap};
pub(crate) use table::{elem_drop, init as table_init_from, table_copy, table_fill, table_grow, table_init};

use abi::layout::{InstanceHeader, StoreContext};
use sys::trampolines::BuiltinResult;

use crate::call::set_pending;
use crate::error::Failure;
use crate::instance::Instance;
use crate::store::Store;

/// Runs a builtin's work on the instance and store of a context.
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
    match work(instance, store) {
        Ok(value) => BuiltinResult::ok(value),
        Err(error) => {
            // SAFETY: the builtin's trampoline recorded the exit frame.
            unsafe { set_pending(context, error.into()) };
            BuiltinResult::failed()
        }
    }
}
