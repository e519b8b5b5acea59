//! Builtins about the store itself: fuel, epochs, explicit traps.

use abi::layout::InstanceHeader;
use abi::trap::TrapReason;
use sys::trampolines::BuiltinResult;

use super::{finish, run};
use crate::error::Failure;
use crate::store::Store;

/// # Safety
/// For compiled code only, through its trampoline.
pub(crate) unsafe extern "C" fn out_of_fuel(vmctx: *mut u8) -> BuiltinResult {
    // SAFETY: called by compiled code of this instance.
    unsafe { run(vmctx, |_, store| store.refuel().map(|()| 0)) }
}

/// # Safety
/// For compiled code only, through its trampoline.
pub(crate) unsafe extern "C" fn new_epoch(vmctx: *mut u8) -> BuiltinResult {
    // SAFETY: called by compiled code of this instance, whose store is alive and pinned.
    unsafe {
        let context = (*vmctx.cast::<InstanceHeader>()).store;
        let outcome = Store::epoch_reached((*context).store.cast());
        finish(context, outcome)
    }
}

/// # Safety
/// For compiled code only, through its trampoline.
pub(crate) unsafe extern "C" fn raise_trap(vmctx: *mut u8, reason: u32) -> BuiltinResult {
    let reason = u8::try_from(reason).ok().and_then(TrapReason::from_code).unwrap_or(TrapReason::Unreachable);
    // SAFETY: called by compiled code of this instance.
    unsafe { run(vmctx, |_, _| Err(Failure::Trap(reason))) }
}
