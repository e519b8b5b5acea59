//! The WebAssembly language: its types, operators and numeric semantics, and the way from wire
//! bytes to a validated module. Nothing here knows how a module is run.
#![forbid(unsafe_code)]

pub mod canonical;
pub mod compile_imports;
pub mod const_expr;
mod debug_sections;
pub mod decode;
pub mod features;
pub mod heap;
pub mod limits;
pub mod module;
pub mod names;
pub mod ops;
#[cfg(test)]
mod samples;
pub mod sem;
pub mod types;
mod used;
pub mod validate;
