//! Calls of code that is not ours where a panic of its would do harm: a pool's, a waker's or a listener's, in the drop of
//! something or in the middle of a protocol, where others wait for what comes after. All such calls pass here.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// What it gives, or none if it panics. Whoever set the panic hook has been told; there is nobody else to tell.
pub(crate) fn call<T>(code: impl FnOnce() -> T) -> Option<T> {
    match catch_unwind(AssertUnwindSafe(code)) {
        Ok(result) => Some(result),
        Err(panic) => {
            // Its drop is not ours either.
            std::mem::forget(panic);
            None
        }
    }
}
