//! WASI preview 1, called as a guest calls it: every function through a module that only passes its
//! arguments on, with the records laid out in its memory byte by byte.

// The short name the workspace uses.
extern crate upshift_wasi as wasi;

mod guest;

mod dirs;
mod files;
mod opening;
mod paths;
mod polling;
mod process;
mod readonly;
mod rights;
mod sockets;
mod streams;
mod unstable;
