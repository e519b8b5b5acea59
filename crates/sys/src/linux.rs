//! The rooms that know Linux.

pub mod append;
#[cfg(test)]
mod child;
pub mod code_memory;
pub mod image;
pub mod pages;
pub mod process;
pub mod profiler;
pub mod reserve;
pub mod signals;
pub mod stack;
