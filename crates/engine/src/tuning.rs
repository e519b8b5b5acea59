//! Every tunable number in one place. None of them affects correctness.

/// Address space reserved for machine code per engine, in bytes. Memory is taken as code is added.
pub const CODE_MEMORY: usize = 1 << 30;

/// Stack that Wasm may take in one call from the host, in bytes.
pub const MAX_WASM_STACK: usize = 1 << 20;

/// Modules with less code than this many bytes are validated on the calling thread alone.
pub const PARALLEL_VALIDATION: usize = 64 << 10;

/// The instantiation of a module, counted from 1, at which its memory image is made: the first ones copy their data,
/// since an image pays only when it is used again.
pub const IMAGE_AT_INSTANTIATION: u32 = 2;

/// Stack that compiling a function is given, in bytes: with less left, it is done on a thread of its own.
pub const COMPILE_STACK: usize = 256 << 10;
