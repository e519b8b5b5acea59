//! The commands, one file each: the arguments it takes, and what it does.

pub(crate) mod bench;
pub(crate) mod compile;
pub(crate) mod completions;
pub(crate) mod inspect;
pub(crate) mod man;
pub(crate) mod objdump;
pub(crate) mod run;
pub(crate) mod validate;
pub(crate) mod wast;
