//! Every tunable number in one place. None of them affects correctness.

use std::time::Duration;

/// Address space reserved for machine code per engine, in bytes. Memory is taken as code is added.
pub const CODE_MEMORY: usize = 1 << 30;

/// Stack that Wasm may take in one call from the host, in bytes.
pub const MAX_WASM_STACK: usize = 1 << 20;

/// Modules with less code than this many bytes are validated on the calling thread alone.
pub const PARALLEL_VALIDATION: usize = 64 << 10;

/// Bytes of bodies that a thread validates, or compiles, at a time while their module is still arriving: some tenths of a
/// millisecond of work, a thousandth of a second's worth at 30 MB/s.
pub const STREAM_SHARE: usize = 32 << 10;

/// The instantiation of a module, counted from 1, at which the images of its memory and of its function references are
/// made: the first ones copy, since an image pays only when it is used again.
pub const IMAGE_AT_INSTANTIATION: u32 = 2;

/// Stack that compiling a function is given, in bytes: with less left, it is done on a thread of its own.
pub const COMPILE_STACK: usize = 256 << 10;

/// Functions that a background task compiles before others get their turn.
pub const BACKGROUND_STEP: usize = 16;

/// What a function of [`BUDGET_BODY`] bytes may spend before tier-up is considered, in bytes of machine code executed.
/// Three times V8's `wasm_tiering_budget`: baseline code is close enough to optimized code that haste costs short programs
/// more than it saves (SQLite's benchmark takes a sixth more processor time with V8's number, long ones do not care).
pub const TIERING_BUDGET: u32 = 40_000_000;

/// Bytes of a body for which the budget is as configured. It grows with the body, as the cost of optimizing does: what a
/// function has spent is the best guess at what it will spend, so it is worth optimizing when the part of that which better
/// code would have saved is as much as making better code costs.
pub const BUDGET_BODY: u64 = 120;

/// What a function whose body has `len` bytes may spend: so many budgets, of so many bytes. More than one where a budget's
/// 32 bits do not hold it.
pub fn whole_budget(configured: u32, len: usize) -> (u32, i32) {
    let len = (len as u64).max(BUDGET_BODY / 2);
    let bytes = (u64::from(configured).saturating_mul(len) / BUDGET_BODY).max(1);
    let rounds = bytes.div_ceil(i32::MAX as u64);
    (u32::try_from(rounds).unwrap_or(u32::MAX), i32::try_from(bytes / rounds).unwrap_or(i32::MAX))
}

/// The budget of a function that waits for a job, out of a whole one: so that it is quick to take what it waits for.
pub const fn pending_budget(whole: i32) -> i32 {
    whole / 8
}

/// Threads of a pool that an engine reckons with, at most: it submits so many tasks for one piece of work.
pub const MOST_THREADS: usize = 256;

/// Calls of a function up to which its hot loop is given an OSR entry before ordinary code is made.
pub const FEW_CALLS: u32 = 2;

/// Calls that may go on in an OSR entry before ordinary code is made.
pub const OSR_BEFORE_ORDINARY: u32 = 2;

/// Loops of one function that may have an OSR entry of their own.
pub const OSR_ENTRIES: usize = 4;

/// Processor time that an optimizing job may take.
pub const TIER_UP_TIME: Duration = Duration::from_millis(4000);

/// Memory that an optimizing job may take, in bytes, by the compiler's own estimate.
pub const TIER_UP_MEMORY: usize = 768 << 20;

/// Code retired since the last collection that is less than this many bytes is not worth another one (V8's numbers, which
/// measured well: `docs/performance.md`)...
pub const GC_MINIMUM: usize = 64 << 10;

/// ...nor is it below that plus this part of all code.
pub const GC_SHARE: usize = 10;

/// A ceiling on machine code counts as this many bytes at least. Smaller ones would save nothing worth having: memory for code
/// is taken by larger pieces, and each function would be flushed for the next one.
pub const LEAST_CEILING: usize = 16 << 10;

/// Past the ceiling, a collection is worth it when one part in so many of the ceiling was retired since the last.
pub const CEILING_STEPS: usize = 8;

/// Who wants code freed at once waits at most this long for stores that run elsewhere to say what they hold.
pub const GC_WAIT: Duration = Duration::from_millis(50);

/// If it is running Wasm itself, it answers for itself this often meanwhile.
pub const GC_WAIT_STEP: Duration = Duration::from_micros(500);

/// A function whose body has this many bytes is counted among the huge ones (V8's threshold).
pub const HUGE_FUNCTION: usize = 100_000;
