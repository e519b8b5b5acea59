//! All policy: what is compiled when and by what, on which threads, under which configuration.
//!
//! Lock order, outermost first: code GC, stubs by type, a module's tiering, the pool's state, the list of modules, the
//! registry of stores, a module's code, its profile, lazy stubs, the memory pool, the code space's allocator, the type
//! registry. No lock is held while a compiler runs or a host function is called, nor while code is dropped.
#![deny(unsafe_code)]

mod attachment;
mod code_gc;
pub mod compile;
mod compilers;
pub mod config;
pub mod engine;
pub mod error;
pub mod events;
pub mod memory_usage;
pub mod metrics;
pub mod module;
pub mod pool;
mod service;
pub mod statistics;
mod sync;
mod tiering;
pub mod tuning;
mod validation;
