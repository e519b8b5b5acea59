//! The machine: everything in Upshift that knows which operating system and processor it runs on.
//!
//! ```text
//! linux/   pages reserve append image code_memory signals stack process profiler     one folder an operating system
//! x86_64/  context trampolines stub cpu                                              one folder a processor
//! ```
//!
//! The rooms are re-exported here by their own names, so that users write `sys::reserve::Reservation` and a second
//! platform needs nothing but a second folder with the same file names inside. The crate knows no layout of the
//! runtime: offsets of fields reach the trampolines as constants from the crate that owns the fields.
//!
//! Invariant: no page is ever writable and executable through the same address.
//! Invariant: a signal that does not belong to compiled code reaches whoever would have had it without us.

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
compile_error!(
    "Upshift runs on Linux x86-64 only for now: crates/sys has no folder for this operating system or processor yet"
);

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod linux;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod x86_64;

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
pub use crate::linux::{append, code_memory, image, pages, process, profiler, reserve, signals, stack};
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
pub use crate::x86_64::{context, cpu, stub, trampolines};
