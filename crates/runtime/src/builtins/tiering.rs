//! The builtin of tiering: a hot loop asks for better code to go on in.

use std::panic::{AssertUnwindSafe, catch_unwind};

use abi::layout::InstanceHeader;
use sys::context::caller_of;
use sys::trampolines::BuiltinResult;
use wasm::types::DefinedFuncIndex;

use super::finish;
use crate::error::Failure;
use crate::frames;
use crate::hooks::HotLoop;
use crate::instance::Instance;
use crate::interrupt::offer_next;
use crate::store::Store;
use crate::stores::Running;

/// # Safety
/// For compiled code only, through its trampoline.
pub(crate) unsafe extern "C" fn loop_tier_up(
    vmctx: *mut u8,
    function: u32,
    loop_offset: u32,
    frame_offset: u32,
    size: u32,
) -> BuiltinResult {
    // SAFETY: called by compiled code of this instance, whose store is alive, pinned and left through our trampoline.
    let (context, module, hooks, fp, calls, running) = unsafe {
        let context = (*vmctx.cast::<InstanceHeader>()).store;
        let store = &*(*context).store.cast::<Store>();
        let (_, fp) = caller_of((*context).exit_fp);
        let (module, hooks) = (Instance::of_context(vmctx).module().clone(), store.environment().hooks.clone());
        (context, module, hooks, fp, frames::caller_count(store, fp), Running::new(context))
    };
    let hot = HotLoop { function: DefinedFuncIndex(function), offset: loop_offset, calls };
    let outcome = catch_unwind(AssertUnwindSafe(|| hooks.loop_tier_up(&module, hot, &running)));
    let entry = outcome.map_err(Failure::Panic).map(|entry| {
        let entry = entry?;
        let end = fp.wrapping_sub(frame_offset as usize);
        let start = std::ptr::with_exposed_provenance(end.wrapping_sub(size as usize));
        // SAFETY: baseline code has stored its locals and operands there, in its own frame; the store is ours meanwhile.
        unsafe { Store::of_context(context).osr_image.take(context, start, size as usize) };
        Some(entry as u64)
    });
    // SAFETY: as above.
    unsafe { offer_next(context) };
    // SAFETY: as above.
    unsafe { finish(context, entry.map(Option::unwrap_or_default)) }
}
