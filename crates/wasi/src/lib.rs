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
//!
//! ```
//! use upshift::{Engine, Linker, Module, Store};
//! use upshift_wasi::{I32Exit, MemoryOutput, WasiCtx, WasiCtxBuilder, add_to_linker};
//!
//! let engine = Engine::default();
//! let program = Module::new(&engine, r#"(module
//!     (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
//!     (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
//!     (memory (export "memory") 1)
//!     (data (i32.const 0) "\10\00\00\00\06\00\00\00") ;; one buffer: 6 bytes at 16
//!     (data (i32.const 16) "hello\n")
//!     (func (export "_start")
//!         (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
//!         (call $exit (i32.const 3))))"#)?;
//!
//! let mut linker = Linker::new(&engine);
//! add_to_linker(&mut linker, |ctx: &mut WasiCtx| ctx)?;
//! let stdout = MemoryOutput::new();
//! let ctx = WasiCtxBuilder::new().arg("hello").stdout(stdout.clone()).build();
//! let mut store = Store::new(&engine, ctx);
//!
//! let instance = linker.instantiate(&mut store, &program)?;
//! let start = instance.get_typed_func::<(), ()>(&mut store, "_start")?;
//! let error = start.call(&mut store, ()).unwrap_err();
//! assert_eq!(error.downcast_ref::<I32Exit>(), Some(&I32Exit(3)));
//! assert_eq!(stdout.contents(), b"hello\n");
//! # Ok::<(), upshift::Error>(())
//! ```

#![forbid(unsafe_code)]

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
