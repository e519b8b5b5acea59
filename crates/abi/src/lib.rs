//! The contract between compiled code and the runtime: calling convention, memory layouts, builtins, traps, and what a
//! compiler takes and gives. Neither side knows the other; both know this crate.
#![forbid(unsafe_code)]

pub mod assign;
pub mod builtins;
pub mod compiled;
pub mod compiler;
pub mod feedback;
pub mod frame;
pub mod layout;
pub mod memory;
pub mod tier;
pub mod trap;
