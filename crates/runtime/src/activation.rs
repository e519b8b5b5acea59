//! `Activation`: one entry into Wasm that has not returned, as a link of its store's list; and `Pin`, the same for code that
//! no frame shows.

use std::ptr::NonNull;

use code::code::Code;
use sys::context::EntryRecord;

/// One entry into Wasm that has not returned.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Activation {
    /// Where to land; first, so that a pointer to the activation is one to the record.
    pub(crate) record: EntryRecord,
    /// The activation below.
    pub(crate) previous: *mut Activation,
    /// The exit frame of the activation below.
    pub(crate) previous_exit_fp: usize,
    /// The number of the thread it is on.
    pub(crate) thread: usize,
}

/// Code that will be entered when an interrupt at its first instruction has been dealt with.
#[derive(Debug)]
pub(crate) struct Pin {
    pub(crate) code: NonNull<Code>,
    /// The pin below.
    pub(crate) previous: *const Pin,
}
