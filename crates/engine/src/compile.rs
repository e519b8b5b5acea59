//! Compiling functions: one at its first call, or all at once.

pub mod job;
pub mod stubs;
