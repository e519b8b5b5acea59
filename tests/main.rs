//! The one harness: everything that tests the engine as a whole.

mod abi;
mod bad_input;
mod bombs;
mod child;
mod differential;
mod embedding;
mod fetched;
mod lazy;
mod random;
mod resources;
mod scripts;
mod tiering;
mod timeline;
mod vectors;
