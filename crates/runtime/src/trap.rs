//! Why execution traps, for the layer above, which may not name the crate that defines it.

pub use abi::trap::TrapReason;
