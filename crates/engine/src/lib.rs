//! All policy: what is compiled when and by what, on which threads, under which configuration.
//!
//! Lock order, outermost first: the bodies of a stream (nothing is locked within), a store's entry stubs, a module's
//! tiering, the pool's state, the barrier, the module cache, the registry of modules (and a store's scripts and log, each
//! alone), the registry of stores, the state of collections, stubs by signature, a module's code, its profile,
//! lazy stubs, the memory pool, the code space's allocator, the type registry. No lock is held while a compiler runs, a
//! host function, listener or waker is called, or a module, a task or code is dropped.
#![deny(unsafe_code)]

mod attachment;
mod barrier;
mod cache;
mod callback;
mod code_gc;
pub mod compile;
mod compilers;
pub mod config;
pub mod engine;
pub mod error;
pub mod events;
mod foreign;
pub mod instantiate;
pub mod log;
pub mod memory_usage;
pub mod metrics;
pub mod module;
pub mod pool;
mod registry;
pub mod scripts;
mod service;
pub mod source;
pub mod statistics;
mod sync;
mod tiering;
pub mod tuning;
mod validation;
