//! All policy: what is compiled when and by what, on which threads, under which configuration.
//!
//! Lock order, outermost first: `Engine::stubs`, `Engine::images`, a module's code list, the code space's allocator. No lock
//! is held while a compiler runs.
#![deny(unsafe_code)]

pub mod compile;
pub mod config;
pub mod engine;
pub mod error;
pub mod module;
pub mod pool;
pub mod tuning;
