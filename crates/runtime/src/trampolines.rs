//! The native code between compiled code and the runtime, instantiated with the offsets of our layouts.

use std::mem::offset_of;

use abi::layout::{InstanceHeader, StoreContext};

use crate::call::{lazy_compile, raise};

const STORE: usize = offset_of!(InstanceHeader, store);
const EXIT_FP: usize = offset_of!(StoreContext, exit_fp);

sys::lazy_trampoline! {
    /// Where lazy stubs jump to: compiles the function and goes on in it.
    pub lazy, hook = lazy_compile, raise = raise, store_offset = STORE, exit_fp_offset = EXIT_FP
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

        /// The builtin table, in the order of the numbers.
        static BUILTINS: BuiltinTable = BuiltinTable([$(entry::$name as *const u8,)*]);
    };
}

abi::for_each_builtin!(builtin_trampolines);

/// Addresses of native code.
struct BuiltinTable([*const u8; abi::builtins::Builtin::COUNT]);

// SAFETY: addresses of functions, which any thread may read.
unsafe impl Sync for BuiltinTable {}

/// The builtin table that instance contexts point to.
pub fn builtin_table() -> *const *const u8 {
    BUILTINS.0.as_ptr()
}
