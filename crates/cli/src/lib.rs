//! What the `upshift` command is made of. The command is the product; the library exists so that the project's tests can use
//! the same `.wast` runner.
#![forbid(unsafe_code)]

pub mod wast;
