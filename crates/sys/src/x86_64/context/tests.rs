//! Tests of entering, landing and the frame-pointer chain.

use std::arch::naked_asm;
use std::ptr;

use super::{EntryRecord, EntryStub, caller_of, current_fp, enter, resume_handler, resume_landing};
use crate::code_memory::CodeMemory;

/// Calls [`enter`] with known values in all callee-saved registers; the result is 100 when one was lost.
#[unsafe(naked)]
unsafe extern "C" fn enter_checked(
    record: *mut EntryRecord,
    stub: EntryStub,
    code: *const u8,
    vmctx: *mut u8,
    args: *mut u128,
) -> usize {
    naked_asm!(
        "push rbp", "push rbx", "push r12", "push r13", "push r14", "push r15",
        "sub rsp, 8",
        "mov ebx, 11", "mov ebp, 12", "mov r12d, 13", "mov r13d, 14", "mov r14d, 15", "mov r15d, 16",
        "call {enter}",
        "cmp rbx, 11", "jne 2f",
        "cmp rbp, 12", "jne 2f",
        "cmp r12, 13", "jne 2f",
        "cmp r13, 14", "jne 2f",
        "cmp r14, 15", "jne 2f",
        "cmp r15, 16", "jne 2f",
        "3:",
        "add rsp, 8",
        "pop r15", "pop r14", "pop r13", "pop r12", "pop rbx", "pop rbp",
        "ret",
        "2:",
        "mov eax, 100",
        "jmp 3b",
        enter = sym enter,
    )
}

/// An entry stub for code of the type `fn(vmctx, args)`.
unsafe extern "C" fn plain_stub(code: *const u8, vmctx: *mut u8, args: *mut u128) {
    // SAFETY: the tests pass such functions only.
    let code = unsafe { std::mem::transmute::<*const u8, unsafe extern "C" fn(*mut u8, *mut u128)>(code) };
    // SAFETY: as above.
    unsafe { code(vmctx, args) };
}

/// Code that returns.
extern "C" fn store_sum(vmctx: *mut u8, args: *mut u128) {
    // SAFETY: the test passes a pointer to one value.
    unsafe { args.write(args.read() + vmctx as u128) };
}

#[test]
fn a_stub_that_returns() {
    let mut record = EntryRecord::default();
    let mut args = 40_u128;
    let vmctx = ptr::without_provenance_mut(2);
    // SAFETY: stub, code and arguments belong together.
    let result = unsafe { enter_checked(&mut record, plain_stub, store_sum as *const u8, vmctx, &mut args) };
    assert_eq!((result, args), (0, 42));
    assert!(record.landing != 0 && record.sp < record.fp && record.sp % 16 == 0);
}

/// Stub bytes: clobbers every callee-saved register, moves the stack, and jumps to `code` with `args` as its argument.
const CLOBBER: &[u8] = &[
    0x31, 0xDB, // xor ebx, ebx
    0x31, 0xED, // xor ebp, ebp
    0x45, 0x31, 0xE4, // xor r12d, r12d
    0x45, 0x31, 0xED, // xor r13d, r13d
    0x45, 0x31, 0xF6, // xor r14d, r14d
    0x45, 0x31, 0xFF, // xor r15d, r15d
    0x48, 0x81, 0xEC, 0x00, 0x10, 0x00, 0x00, // sub rsp, 4096
    0xFD, // std
    0x48, 0x89, 0xF8, // mov rax, rdi
    0x48, 0x89, 0xD7, // mov rdi, rdx
    0xFF, 0xE0, // jmp rax
];

#[test]
fn landing_restores_every_callee_saved_register() {
    let memory = CodeMemory::new(4096).unwrap();
    // SAFETY: the memory is local to the test.
    unsafe { memory.write(64, CLOBBER) }.unwrap();
    // SAFETY: the bytes above are a stub.
    let stub = unsafe { std::mem::transmute::<*const u8, EntryStub>(memory.executable_base().add(64)) };
    let mut record = EntryRecord::default();
    let pointer = &raw mut record;
    for _ in 0..1000 {
        // SAFETY: the stub resumes the record it is given as its third argument.
        let result =
            unsafe { enter_checked(pointer, stub, resume_landing as *const u8, ptr::null_mut(), pointer.cast()) };
        assert_eq!(result, 1);
    }
}

/// Code that enters again and lands on the outer or the inner record.
unsafe extern "C" fn nested(vmctx: *mut u8, args: *mut u128) {
    let mut inner = EntryRecord::default();
    let inner_pointer = &raw mut inner;
    // SAFETY: resumes the record in its first argument.
    let result = unsafe { enter_checked(inner_pointer, plain_stub, land as *const u8, inner_pointer.cast(), args) };
    assert_eq!(result, 1);
    // SAFETY: the outer record, still active.
    unsafe { resume_landing(vmctx.cast()) };
}

/// Code that lands on the record in its first argument.
unsafe extern "C" fn land(record: *mut u8, _args: *mut u128) {
    // SAFETY: the tests pass an active record.
    unsafe { resume_landing(record.cast()) };
}

#[test]
fn entries_nest() {
    let mut outer = EntryRecord::default();
    let pointer = &raw mut outer;
    // SAFETY: `nested` resumes the record in its first argument.
    let result = unsafe { enter_checked(pointer, plain_stub, nested as *const u8, pointer.cast(), ptr::null_mut()) };
    assert_eq!(result, 1);
}

/// A stub with a frame that calls `code(frame pointer of the stub, args)`.
#[unsafe(naked)]
unsafe extern "C" fn framed_stub(code: *const u8, vmctx: *mut u8, args: *mut u128) {
    naked_asm!("push rbp", "mov rbp, rsp", "mov rax, rdi", "mov rdi, rbp", "mov rsi, rdx", "call rax", "pop rbp", "ret",)
}

/// Walks from the stub's frame to the frame of `enter` and to that of its caller.
unsafe extern "C" fn walk(stub_fp: *mut u8, args: *mut u128) {
    // SAFETY: the test passes its record.
    let record = unsafe { &*args.cast::<EntryRecord>() };
    // SAFETY: the stub has a frame.
    let (return_pc, fp) = unsafe { caller_of(stub_fp as usize) };
    assert_eq!(fp, record.fp);
    assert!((enter as *const () as usize..record.landing).contains(&return_pc));
    // SAFETY: `enter` has a frame.
    let (_, above) = unsafe { caller_of(fp) };
    assert_eq!(above, 12, "the frame pointer that the caller of `enter` had");
}

#[test]
fn the_frame_chain_leads_through_enter() {
    let mut record = EntryRecord::default();
    let pointer = &raw mut record;
    // SAFETY: stub, code and arguments belong together.
    let result = unsafe { enter_checked(pointer, framed_stub, walk as *const u8, ptr::null_mut(), pointer.cast()) };
    assert_eq!(result, 0);
}

/// A stub that calls `code(handler, stack pointer, frame pointer)`; the handler stores the payloads to `args`.
#[unsafe(naked)]
unsafe extern "C" fn catching_stub(code: *const u8, vmctx: *mut u8, args: *mut u128) {
    naked_asm!(
        "push rbp",
        "mov rbp, rsp",
        "push rdx",
        "sub rsp, 8",
        "mov rax, rdi",
        "lea rdi, [rip + 2f]",
        "mov rsi, rsp",
        "mov rdx, rbp",
        "call rax",
        "ud2",
        "2:",
        "mov rcx, [rbp - 8]",
        "mov [rcx], rax",
        "mov [rcx + 8], rdx",
        "leave",
        "ret",
    )
}

/// Throws to the handler it is given.
unsafe extern "C" fn throw(handler: usize, sp: usize, fp: usize) -> ! {
    // SAFETY: `catching_stub` passes its own handler and registers.
    unsafe { resume_handler(handler, sp, fp, 0x11, 0x22) }
}

#[test]
fn a_handler_gets_its_payloads() {
    let mut record = EntryRecord::default();
    let mut args = 0_u128;
    // SAFETY: stub, code and arguments belong together.
    let result = unsafe { enter_checked(&mut record, catching_stub, throw as *const u8, ptr::null_mut(), &mut args) };
    assert_eq!((result, args), (0, (0x22 << 64) | 0x11));
}

#[test]
fn the_frame_pointer_is_readable() {
    assert!(current_fp() != 0);
}
