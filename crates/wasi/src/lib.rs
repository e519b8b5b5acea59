//! WASI preview 1 for Upshift: the system interface of command-line WebAssembly programs.
//!
//! [`WasiCtxBuilder`] says what a program gets (arguments, environment, standard streams,
//! directories), [`add_to_linker`] makes the functions of `wasi_snapshot_preview1` importable, and
//! [`I32Exit`] is the error with which a program that calls `proc_exit` ends.
//!
//! A program reaches files only below the directories it was given: paths are resolved beneath them
//! and a path or symbolic link that leads outside is refused. Rights are enforced as the
//! [specification](https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md) says:
//! a descriptor carries the operations it allows and those it passes on, and a program can only
//! give rights away.

mod clock;
mod ctx;
mod dir;
mod errno;
mod file;
mod linker;
mod memory;
mod p1;
mod poll;
mod random;
mod rights;
mod stdio;
mod table;
mod types;

pub use clock::{Clock, DeterministicClock};
pub use ctx::{Perms, WasiCtx, WasiCtxBuilder};
pub use errno::Errno;
pub use linker::add_to_linker;
pub use p1::proc::I32Exit;
pub use random::{Random, SeededRandom};
pub use stdio::{EmptyInput, InputStream, MemoryInput, MemoryOutput, OutputStream, SinkOutput};
