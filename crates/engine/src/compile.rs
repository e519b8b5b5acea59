//! Compiling functions: one at its first call, or all of a module.

pub(crate) mod all;
pub(crate) mod job;
pub mod stubs;
