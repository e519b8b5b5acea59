//! The baseline tier: a single-pass compiler of our own. It reads a body once and writes machine code as it reads.
#![forbid(unsafe_code)]

mod asm;
mod call_builtin;
mod cold;
mod compiler;
mod emit;
mod features;
mod fuel;
mod function;
mod masm;
mod moves;
mod operand;
mod profile;
mod prologue;
mod regs;
mod signature;
mod state;
mod stubs;
mod tables;
#[cfg(test)]
mod testing;
mod value_stack;

pub use compiler::BaselineCompiler;
pub use features::Features;
