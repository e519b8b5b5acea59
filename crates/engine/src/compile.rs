//! Making modules, and compiling functions: one at its first call, or all of a module.

pub(crate) mod all;
pub mod asynchronous;
pub(crate) mod job;
pub(crate) mod jobs;
pub(crate) mod phases;
mod promise;
pub mod source;
pub mod streaming;
pub mod stubs;
