//! `proc_*` and `sched_yield`.

use crate::ctx::WasiCtx;
use crate::errno::Errno;

/// The error that ends a program which called `proc_exit`, with the exit code it gave; 0 is success.
///
/// The runner finds it with `downcast_ref::<I32Exit>()` on the error of the call into the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct I32Exit(pub i32);

impl std::fmt::Display for I32Exit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the program ended with exit code {}", self.0)
    }
}

impl std::error::Error for I32Exit {}

/// A guest has no signals: only the signal that does nothing can be raised, the others are `notsup`
/// and unknown ones `inval`.
pub(crate) fn proc_raise(_: &mut WasiCtx, signal: u32) -> Result<(), Errno> {
    match signal {
        0 => Ok(()),
        1..=30 => Err(Errno::NotSup),
        _ => Err(Errno::Inval),
    }
}

/// Lets another thread of the host run.
pub(crate) fn sched_yield(_: &mut WasiCtx) -> Result<(), Errno> {
    rustix::thread::sched_yield();
    Ok(())
}
