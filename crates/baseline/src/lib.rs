//! The baseline tier: a single-pass compiler of our own. It reads a body once and writes machine code as it reads.
//!
//! `function` drives: parameters (`prologue`), operators (`emit`, a file a chapter), epilogue, cold code (`cold`), and last
//! the prologue, which is put in front. Emitters see operands through `operand`; behind it are the value stack
//! (`value_stack`), the register file (`regs`), what moves values (`masm`, `moves`), and what is in registers where control
//! flow meets (`state`). `stubs` are the ways in and out of Wasm; `asm` knows the machine.
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
mod state;
mod stubs;
mod tables;
#[cfg(test)]
mod testing;
mod value_stack;

pub use compiler::BaselineCompiler;
pub use features::Features;
