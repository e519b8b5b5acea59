//! Entering and leaving compiled code from Rust: the native frame that a trap or an exception lands on.
//!
//! 1. [`enter`] builds a frame, saves every callee-saved register in it, writes where it is to an [`EntryRecord`], and calls
//!    the entry stub of the function's signature.
//! 2. If the stub returns, so does `enter`, with 0.
//! 3. If code below gives up, whoever noticed (a signal handler's target, a builtin, a host call) calls [`resume_landing`]
//!    with the record: the frames between are dropped as they are, and `enter` returns 1. No Rust frame with a destructor
//!    may lie between the two; the runtime keeps them out by having host functions return their errors.
//! 4. An exception caught in compiled code does not land here: [`resume_handler`] jumps to the handler's frame.
//!
//! Rejected: unwinding with the platform's unwinder, which needs tables for compiled code and cannot leave a signal, and
//! `setjmp`, which Rust cannot call soundly.
//!
//! Invariant: the frame pointer chain is unbroken through `enter`: `[fp]` is the caller's frame pointer and `[fp + 8]` the
//! return address, here as in compiled code. A stack walk ends at the frame whose pointer equals [`EntryRecord::fp`].

use std::arch::naked_asm;
use std::mem::offset_of;

#[cfg(test)]
mod tests;

/// Where an [`enter`] can be landed on; valid until that `enter` returns.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EntryRecord {
    /// The stack pointer in the frame of `enter`.
    pub sp: usize,
    /// The frame pointer of `enter`: the end of a stack walk.
    pub fp: usize,
    /// The address that continues `enter` with the result 1.
    pub landing: usize,
}

/// Machine code that takes the arguments of one Wasm signature from `args`, calls `code` with `vmctx`, and puts the
/// results back into `args`. It obeys the system's C convention.
pub type EntryStub = unsafe extern "C" fn(code: *const u8, vmctx: *mut u8, args: *mut u128);

/// Fills `record` and calls `stub(code, vmctx, args)`. Returns 0 when the stub returned and 1 when
/// [`resume_landing`] was called with the record.
///
/// # Safety
/// `record` is writable and stays in place until `enter` returns; `stub` may be called with the other arguments; what runs
/// inside either returns or resumes as the head of this file says.
#[unsafe(naked)]
pub unsafe extern "C" fn enter(
    record: *mut EntryRecord,
    stub: EntryStub,
    code: *const u8,
    vmctx: *mut u8,
    args: *mut u128,
) -> usize {
    naked_asm!(
        "push rbp",
        "mov rbp, rsp",
        "push rbx",
        "push r12",
        "push r13",
        "push r14",
        "push r15",
        "sub rsp, 8", // 16-byte alignment at the call
        "mov [rdi + {sp}], rsp",
        "mov [rdi + {fp}], rbp",
        "lea rax, [rip + 2f]",
        "mov [rdi + {landing}], rax",
        "mov rax, rsi",
        "mov rdi, rdx",
        "mov rsi, rcx",
        "mov rdx, r8",
        "call rax",
        "xor eax, eax",
        "3:",
        "add rsp, 8",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop rbx",
        "pop rbp",
        "ret",
        "2:",
        "mov eax, 1",
        "jmp 3b",
        sp = const offset_of!(EntryRecord, sp),
        fp = const offset_of!(EntryRecord, fp),
        landing = const offset_of!(EntryRecord, landing),
    )
}

/// Drops everything above the frame of the [`enter`] that filled `record` and makes it return 1.
///
/// # Safety
/// That `enter` is still active on the current stack, and no frame in between has anything to clean up.
#[unsafe(naked)]
pub unsafe extern "C" fn resume_landing(record: *const EntryRecord) -> ! {
    naked_asm!(
        "mov rsp, [rdi + {sp}]",
        "mov rbp, [rdi + {fp}]",
        "cld", // the C convention promises it, and a trap may come from anywhere
        "jmp qword ptr [rdi + {landing}]",
        sp = const offset_of!(EntryRecord, sp),
        fp = const offset_of!(EntryRecord, fp),
        landing = const offset_of!(EntryRecord, landing),
    )
}

/// Drops everything above a frame of compiled code and continues it at `pc`, an exception handler of that frame, with
/// the payload registers (`rax`, `rdx`) set. All other registers are dead there.
///
/// # Safety
/// The frame is active on the current stack, `sp` and `fp` are its own, `pc` is a handler that expects the payloads, and
/// no frame in between has anything to clean up.
#[unsafe(naked)]
pub unsafe extern "C" fn resume_handler(pc: usize, sp: usize, fp: usize, payload0: usize, payload1: usize) -> ! {
    naked_asm!("mov rsp, rsi", "mov rbp, rdx", "mov rax, rcx", "mov rdx, r8", "cld", "jmp rdi",)
}

/// The return address and the caller's frame pointer of the frame at `fp`.
///
/// # Safety
/// `fp` is the frame pointer of a live frame that keeps the chain.
#[inline]
pub unsafe fn caller_of(fp: usize) -> (usize, usize) {
    let frame = std::ptr::with_exposed_provenance::<usize>(fp);
    // SAFETY: the frame keeps the chain: the parent's frame pointer at `fp`, the return address above it.
    unsafe { (frame.add(1).read(), frame.read()) }
}

/// The frame pointer of the function this is inlined into, or of the nearest caller that keeps one.
#[inline(always)]
pub fn current_fp() -> usize {
    let fp: usize;
    // SAFETY: reads a register; touches neither memory, stack nor flags.
    unsafe {
        std::arch::asm!("mov {}, rbp", out(reg) fp, options(nomem, nostack, preserves_flags));
    }
    fp
}
