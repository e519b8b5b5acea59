//! The optimizing tier: translates validated Wasm to Cranelift's intermediate code and compiles that to machine code.
//! The only crate that names `cranelift_*`.
//!
//! A function is compiled in these steps:
//! 1. `inline` decides from feedback which calls to inline, if there is feedback.
//! 2. `function::compile` takes this thread's reusable contexts and builds the signature (`signature`).
//! 3. [`wasm::decode::code::BodyReader`] visits the operators; `translate` turns each into intermediate code. An OSR entry
//!    starts in a loop: `translate::osr`.
//! 4. `budget` gives up a job that takes too long, or would: Cranelift cannot be interrupted.
//! 5. Cranelift optimizes (`isa` holds its settings); `latch` mends the ends of loops; Cranelift allocates registers and
//!    emits.
//! 6. `finish` turns the result into an [`abi::compiled::CompiledCode`] and refuses code that would need linking.
#![forbid(unsafe_code)]

mod budget;
mod compiler;
mod finish;
mod function;
mod inline;
mod isa;
mod latch;
mod signature;
mod stubs;
#[cfg(test)]
mod testing;
mod translate;
mod traps;

pub use compiler::{OptimizingCompiler, UnsupportedMachine};
