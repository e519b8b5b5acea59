//! Making modules, and compiling functions: one at its first call, or all of a module.

pub(crate) mod all;
pub(crate) mod job;
pub(crate) mod phases;
pub mod source;
pub mod streaming;
pub mod stubs;
