//! The optimizing tier: translates validated Wasm to Cranelift's intermediate code and compiles that to machine code.
//! The only crate that names `cranelift_*`.
//!
//! A function is compiled in these steps:
//! 1. `function::compile` takes this thread's reusable contexts and builds the signature (`signature`).
//! 2. [`wasm::decode::code::BodyReader`] visits the operators; `translate` turns each into intermediate code.
//! 3. Cranelift optimizes, allocates registers and emits (`isa` holds its settings).
//! 4. `function` turns the result into an [`abi::compiled::CompiledCode`] and refuses code that would need linking.
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
