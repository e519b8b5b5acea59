//! The rooms that know the x86-64 instruction set and its calling conventions.

pub mod context;
pub mod cpu;
pub mod stub;
pub mod trampolines;
