//! From wire bytes to a module: the reader of numbers, sections, bodies, and errors with positions.

pub mod code;
pub mod error;
pub mod prefix_hash;
pub(crate) mod reader;
pub(crate) mod section;
pub mod stream;
