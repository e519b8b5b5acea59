//! The one harness: everything that tests the engine as a whole.

mod abi;
mod bad_input;
mod bombs;
mod child;
mod code_gc;
mod differential;
mod embedding;
mod errors;
mod fetched;
mod held;
mod jobs;
mod lazy;
mod lifecycle;
mod random;
mod resources;
mod scripts;
mod soak;
mod streaming;
mod tiering;
mod timeline;
mod vectors;
