//! The running part: stores, instances, memories, tables, globals, functions, calls in both directions, traps and stack
//! walks. It knows no policy: what to compile, and when, it asks through [`hooks`].

mod activation;
pub mod backtrace;
pub mod builtins;
pub mod call;
mod context_memory;
pub mod difference;
mod emptied;
pub mod entry_stubs;
pub mod error;
mod evaluate;
pub mod foreground;
pub mod frames;
pub mod func;
pub mod global;
pub mod hooks;
pub mod host_call;
pub mod ids;
pub mod image;
pub mod import;
pub mod instance;
pub mod instantiate;
mod interrupt;
pub mod limiter;
pub mod matching;
pub mod memory;
pub mod memory_counts;
pub mod memory_pool;
mod osr;
pub mod references;
mod requests;
pub mod signal;
pub mod store;
pub mod stores;
mod sync;
pub mod table;
#[cfg(test)]
mod testing;
pub mod trampolines;
pub mod trap;
pub mod usage;
