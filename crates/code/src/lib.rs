//! The code manager: one region of executable memory per engine, the code objects in it, the code tables through which
//! they are reached, and the lookup from a program counter to its code.

pub mod allocator;
pub mod code;
pub mod lookup;
pub mod metrics;
pub mod native_module;
pub mod positions;
mod profile;
pub mod retired;
pub mod sizes;
pub mod space;
pub mod statistics;
pub mod stub_cache;
pub mod stubs;
pub mod table;
pub mod wire_bytes;
