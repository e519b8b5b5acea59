//! Assemblers, one folder a machine.

pub(crate) mod x64;
