//! The x86-64 assembler: a thin emitter for a compiler that writes machine code in one pass and never looks back.
//!
//! - An instruction is put together in two 64-bit words (everything up to ModRM and SIB; displacement and immediate) and
//!   stored by one bounds check and two fixed-size stores. Bytes past its end are overwritten by the next one.
//! - Operand names follow the order `destination, source`. Forms are named by their operands: `r` register, `m` memory,
//!   `i` immediate, so that `alu_rm` is "register, memory".
//! - Vector instructions are rows of one table ([`SseOp`]); a row has a legacy form (`sse_*`, destination is also the
//!   first source) and a VEX form (`vex_*`, destination apart from the sources).
//! - Jumps are relative and resolved inside the buffer, so finished code may be put anywhere (constants need a start
//!   that is a multiple of 16).
//!
//! Source of the encodings: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2. The tests decode
//! every form with a decoder that is not ours.
#![allow(dead_code, unused_imports, reason = "an assembler offers the machine, not only what a caller uses today")]

mod atomic;
mod bits;
mod buffer;
mod constant;
mod control;
mod encode;
mod integer;
mod label;
mod operand;
mod sse;
mod sse_op;
mod vex;

pub(crate) use buffer::{Assembler, HEADROOM};
pub(crate) use constant::RipLabel;
pub(crate) use label::Label;
pub(crate) use operand::{Alu, Cond, Gpr, Mem, Scale, Shift, Size, Width, Xmm};
pub(crate) use sse_op::{SseOp, SseShift};

#[cfg(test)]
mod tests;
