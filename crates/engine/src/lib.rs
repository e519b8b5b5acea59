//! All policy: what is compiled when and by what, on which threads, under which configuration.
//!
//! Lock order, outermost first: stubs by type, the pool's state, lazy stubs, a module's code, the memory pool, the code
//! space's allocator, the type registry. No lock is held while a compiler runs or a host function is called.
#![deny(unsafe_code)]

mod attachment;
pub mod compile;
pub mod config;
pub mod engine;
pub mod error;
pub mod module;
pub mod pool;
pub mod tuning;
