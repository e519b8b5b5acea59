//! The one harness: everything that tests the engine as a whole.

mod abi;
mod scripts;
