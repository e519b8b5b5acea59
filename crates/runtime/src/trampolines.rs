//! The native code between compiled code and the runtime, instantiated with the offsets of our layouts.

use std::mem::offset_of;

use abi::builtins::NativeEntry;
use abi::feedback::MAX_TARGETS;
use abi::layout::{InstanceHeader, StoreContext};

use crate::call::{lazy_compile, raise, tier_up_entry};
use crate::interrupt::{at_loop, at_prologue};

const STORE: usize = offset_of!(InstanceHeader, store);
const EXIT_FP: usize = offset_of!(StoreContext, exit_fp);

sys::lazy_trampoline! {
    /// Where lazy stubs jump to: compiles the function and goes on in it.
    pub lazy, hook = lazy_compile, raise = raise, store_offset = STORE, exit_fp_offset = EXIT_FP
}

sys::lazy_trampoline! {
    /// Where baseline code goes whose budget is spent at its entry: goes on in the function's newest code.
    tier_up, hook = tier_up_entry, raise = raise, store_offset = STORE, exit_fp_offset = EXIT_FP
}

sys::lazy_trampoline! {
    /// Where a function goes that was interrupted in its prologue, as if it had not begun.
    interrupted, hook = at_prologue, raise = raise, store_offset = STORE, exit_fp_offset = EXIT_FP
}

/// Where the signal handler leads a thread whose prologue was interrupted, with the address of the `Code` in `r11`.
pub(crate) fn interrupt_trampoline() -> *const u8 {
    interrupted as *const u8
}

sys::preserving_trampoline! {
    /// What loops call that are interrupted; keeps all registers.
    interrupt, body = at_loop, raise = raise
}

/// What [`StoreContext::on_interrupt`] leads to.
pub(crate) fn loop_interrupt() -> *const u8 {
    interrupt as *const u8
}

sys::record_target_stub! {
    /// Counts a target of an indirect call that is not the site's first.
    record_target, targets = MAX_TARGETS
}

macro_rules! builtin_trampolines {
    ($($(#[$doc:meta])* $name:ident($($arg:ident: $ty:ident),*) $(-> $result:ident)?;)*) => {
        /// One trampoline per builtin.
        mod entry {
            $(sys::builtin_trampoline! {
                $(#[$doc])*
                pub $name, body = crate::builtins::$name, raise = crate::call::raise,
                store_offset = super::STORE, exit_fp_offset = super::EXIT_FP
            })*
        }

        /// The builtin table, in the order of the numbers; behind the builtins the native entries.
        static BUILTINS: BuiltinTable = BuiltinTable([
            $(entry::$name as *const u8,)*
            tier_up as *const u8,
            record_target as *const u8,
        ]);
    };
}

abi::for_each_builtin!(builtin_trampolines);

/// Addresses of native code.
struct BuiltinTable([*const u8; NativeEntry::TABLE_LEN]);

const _: () = assert!(NativeEntry::RecordTarget as usize == NativeEntry::TierUp as usize + 1);

// SAFETY: addresses of functions, which any thread may read.
unsafe impl Sync for BuiltinTable {}

/// The builtin table that instance contexts point to.
pub fn builtin_table() -> *const *const u8 {
    BUILTINS.0.as_ptr()
}
