//! Tests of faults: redirected, declined, chained to whoever was there before.

use std::arch::naked_asm;
use std::cell::Cell;
use std::ffi::c_void;
use std::os::unix::process::ExitStatusExt;
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};

use libc::{c_int, siginfo_t};

use super::{Signal, TrapContext, ensure_sigaltstack, install};
use crate::context::{EntryRecord, enter, resume_landing};
use crate::linux::child::{in_child, run_child};
use crate::pages::page_size;
use crate::process::mapping_count;
use crate::reserve::Reservation;

/// What the handler saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seen {
    signal: Signal,
    pc: usize,
    sp: usize,
    arg0: usize,
    address: Option<usize>,
}

thread_local! {
    /// The record to land on; null when this thread's faults are none of ours.
    static RECORD: Cell<*const EntryRecord> = const { Cell::new(ptr::null()) };
    /// The last fault.
    static SEEN: Cell<Option<Seen>> = const { Cell::new(None) };
    /// Where the next fault goes on instead, as if its function had not begun.
    static RESTART: Cell<Option<*const u8>> = const { Cell::new(None) };
}

/// What is said of a restart.
const ABOUT: usize = 0x5_0000_0000;

/// The process's handler in all tests.
fn handle(trap: &mut TrapContext<'_>) -> bool {
    if let Some(target) = RESTART.take() {
        // SAFETY: the test's function faults in its prologue.
        unsafe { trap.restart(target, ABOUT) };
        return true;
    }
    let record = RECORD.get();
    if record.is_null() {
        return false;
    }
    SEEN.set(Some(Seen {
        signal: trap.signal(),
        pc: trap.pc(),
        sp: trap.sp(),
        arg0: trap.arg0(),
        address: trap.fault_address(),
    }));
    let (pc, fp) = (trap.pc(), trap.fp());
    trap.redirect(check_and_land, record as usize, pc, fp);
    true
}

/// Checks stack alignment, the third argument and the direction flag, then lands on the record in the first argument.
#[unsafe(naked)]
unsafe extern "C" fn check_and_land(record: usize, pc: usize, fp: usize) -> ! {
    naked_asm!(
        "lea rax, [rsp + 8]",
        "test al, 15",
        "jnz 2f",
        "cmp rdx, rbp",
        "jne 2f",
        "pushfq",
        "pop rax",
        "test eax, 0x400",
        "jnz 2f",
        "jmp {resume}",
        "2:",
        "mov eax, 231", // exit_group: a fault would come back here
        "mov edi, 99",
        "syscall",
        resume = sym resume_landing,
    )
}

/// Loads from its first argument, with the direction flag set.
#[unsafe(naked)]
unsafe extern "C" fn load(address: *mut u8, args: *mut u128) -> u64 {
    naked_asm!("std", "mov rax, [rdi]", "cld", "ret")
}

/// Runs into `ud2`.
#[unsafe(naked)]
unsafe extern "C" fn undefined(address: *mut u8, args: *mut u128) -> u64 {
    naked_asm!("ud2")
}

/// Divides by zero.
#[unsafe(naked)]
unsafe extern "C" fn divide(address: *mut u8, args: *mut u128) -> u64 {
    naked_asm!("mov eax, 1", "xor edx, edx", "xor ecx, ecx", "idiv ecx", "ret")
}

/// Faults when its frame pointer is set and nothing else is done but to registers without a meaning.
#[unsafe(naked)]
unsafe extern "C" fn interrupted(a: u64, b: u64) -> u64 {
    naked_asm!("push rbp", "mov rbp, rsp", "push rdi", "mov r10, -1", "mov r11, -1", "ud2")
}

/// Adds up its two arguments in registers, one on the stack, and what is said in `r11`.
#[unsafe(naked)]
unsafe extern "C" fn instead(a: u64, b: u64) -> u64 {
    naked_asm!("lea rax, [rdi + rsi]", "add rax, [rsp + 8]", "add rax, r11", "ret")
}

/// Calls `interrupted` with its arguments and 700 on the stack; 0 if that changes the frame pointer or the stack pointer.
#[unsafe(naked)]
unsafe extern "C" fn call_interrupted(a: u64, b: u64) -> u64 {
    naked_asm!(
        "push rbp",
        "push rbx",
        "mov rbp, 0x1234",
        "push 700",
        "mov rbx, rsp",
        "call {interrupted}",
        "cmp rbp, 0x1234",
        "jne 2f",
        "cmp rbx, rsp",
        "je 3f",
        "2:",
        "xor eax, eax",
        "3:",
        "lea rsp, [rbx + 8]",
        "pop rbx",
        "pop rbp",
        "ret",
        interrupted = sym interrupted,
    )
}

/// What the tests run as compiled code.
type Code = unsafe extern "C" fn(*mut u8, *mut u128) -> u64;

/// An entry stub for `Code`.
unsafe extern "C" fn stub(code: *const u8, vmctx: *mut u8, args: *mut u128) {
    // SAFETY: the tests pass functions of this type only.
    let code = unsafe { std::mem::transmute::<*const u8, Code>(code) };
    // SAFETY: whatever it does, the handler of the tests is installed.
    unsafe { code(vmctx, args) };
}

/// Runs `code` as compiled code and returns the fault it must make.
fn fault(code: Code, address: *mut u8) -> Seen {
    install(handle).unwrap();
    ensure_sigaltstack().unwrap();
    let mut record = EntryRecord::default();
    let pointer = &raw mut record;
    RECORD.set(pointer);
    SEEN.set(None);
    // SAFETY: the stub calls the code, whose faults land on the record.
    let landed = unsafe { enter(pointer, stub, code as *const u8, address, ptr::null_mut()) };
    RECORD.set(ptr::null());
    assert_eq!(landed, 1);
    let seen = SEEN.get().unwrap();
    assert!(seen.sp < record.sp);
    seen
}

/// An address where any access faults.
fn forbidden() -> (Reservation, *mut u8) {
    let memory = Reservation::new(page_size()).unwrap();
    let address = memory.as_ptr().wrapping_add(24);
    (memory, address)
}

/// Whether all four signals are unblocked in this thread.
fn unblocked() -> bool {
    // SAFETY: all zeros is a valid signal set.
    let mut mask = unsafe { std::mem::zeroed::<libc::sigset_t>() };
    // SAFETY: only reads the mask, into a set of our own.
    unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, ptr::null(), &mut mask) };
    // SAFETY: a valid set and signals that exist.
    let is_blocked = |signal: Signal| unsafe { libc::sigismember(&mask, signal.number()) } == 1;
    !Signal::ALL.into_iter().any(is_blocked)
}

#[test]
fn a_load_from_a_reserved_page_lands() {
    let (_memory, address) = forbidden();
    for _ in 0..1000 {
        let seen = fault(load, address);
        assert_eq!(seen.signal, Signal::Segv);
        assert_eq!(seen.address, Some(address as usize));
        assert_eq!(seen.arg0, address as usize);
        assert_eq!(seen.pc, load as *const () as usize + 1);
    }
    assert!(unblocked());
}

#[test]
fn a_load_from_a_non_canonical_address_lands_without_address() {
    let seen = fault(load, ptr::without_provenance_mut(1 << 63));
    assert_eq!((seen.signal, seen.address), (Signal::Segv, None));
}

#[test]
fn a_load_past_the_end_of_a_file_lands() {
    use rustix::fs::{MemfdFlags, memfd_create};
    use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};
    let file = memfd_create("empty", MemfdFlags::CLOEXEC).unwrap();
    let (len, flags) = (page_size(), MapFlags::PRIVATE);
    // SAFETY: the kernel chooses a range that nobody else uses.
    let base = unsafe { mmap(ptr::null_mut(), len, ProtFlags::READ, flags, &file, 0) }.unwrap();
    let seen = fault(load, base.cast());
    assert_eq!(seen.signal, Signal::Bus);
    assert_eq!(seen.address, Some(base as usize));
    // SAFETY: mapped above and not used any more.
    unsafe { munmap(base, len) }.unwrap();
}

#[test]
fn undefined_instructions_and_divisions_land() {
    let seen = fault(undefined, ptr::null_mut());
    assert_eq!((seen.signal, seen.address), (Signal::Ill, None));
    assert_eq!(seen.pc, undefined as *const () as usize);
    let seen = fault(divide, ptr::null_mut());
    assert_eq!((seen.signal, seen.address), (Signal::Fpe, None));
    assert!(unblocked());
}

#[test]
fn a_function_that_is_interrupted_in_its_prologue_begins_anew_elsewhere() {
    install(handle).unwrap();
    ensure_sigaltstack().unwrap();
    for round in 0..3 {
        RESTART.set(Some(instead as *const u8));
        // SAFETY: the fault in the prologue is taken to `instead`, which has the same type.
        let sum = unsafe { call_interrupted(round, 20) };
        assert_eq!((sum, RESTART.get()), (round + 720 + ABOUT as u64, None));
    }
}

#[test]
fn threads_fault_at_the_same_time() {
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let (_memory, address) = forbidden();
                for _ in 0..200 {
                    assert_eq!(fault(load, address).address, Some(address as usize));
                    assert_eq!(fault(undefined, address).signal, Signal::Ill);
                }
            });
        }
    });
}

/// The signal that ended a child test, by name.
fn death(name: &str) -> Option<c_int> {
    let name = format!("linux::signals::tests::{name}");
    run_child(&name).map(|output| output.status.signal().unwrap_or(0))
}

#[test]
fn a_declined_fault_takes_the_default_action() {
    let Some(signal) = death("a_declined_fault_takes_the_default_action") else {
        install(handle).unwrap();
        // SAFETY: dies.
        unsafe { undefined(ptr::null_mut(), ptr::null_mut()) };
        return;
    };
    assert_eq!(signal, libc::SIGILL);
}

#[test]
fn a_sent_signal_takes_the_default_action() {
    let Some(signal) = death("a_sent_signal_takes_the_default_action") else {
        install(handle).unwrap();
        // Ours even so: a sent signal is no fault.
        let record = EntryRecord::default();
        RECORD.set(&record);
        // SAFETY: dies.
        unsafe { libc::raise(libc::SIGFPE) };
        return;
    };
    assert_eq!(signal, libc::SIGFPE);
}

/// Sets the action of a signal.
fn set_action(number: c_int, handler: libc::sighandler_t, flags: c_int) {
    // SAFETY: all zeros is a valid `sigaction`.
    let mut action = unsafe { std::mem::zeroed::<libc::sigaction>() };
    action.sa_sigaction = handler;
    action.sa_flags = flags;
    // SAFETY: the tests pass handlers that fit the flags; a set of our own.
    unsafe {
        libc::sigaddset(&mut action.sa_mask, libc::SIGUSR1);
        assert_eq!(libc::sigaction(number, &action, ptr::null_mut()), 0);
    }
}

#[test]
fn an_ignored_signal_is_ignored_and_an_ignored_fault_is_not() {
    let Some(signal) = death("an_ignored_signal_is_ignored_and_an_ignored_fault_is_not") else {
        set_action(libc::SIGFPE, libc::SIG_IGN, 0);
        set_action(libc::SIGILL, libc::SIG_IGN, 0);
        install(handle).unwrap();
        // SAFETY: ignored.
        unsafe { libc::raise(libc::SIGFPE) };
        // SAFETY: dies.
        unsafe { undefined(ptr::null_mut(), ptr::null_mut()) };
        return;
    };
    assert_eq!(signal, libc::SIGILL);
}

/// The page that `open_page` makes accessible.
static PAGE: AtomicUsize = AtomicUsize::new(0);

/// A handler as a garbage collector has one: opens the page and lets the access happen again.
extern "C" fn open_page(number: c_int, info: *mut siginfo_t, context: *mut c_void) {
    assert!(number == libc::SIGSEGV && !context.is_null());
    let page = PAGE.load(Ordering::Relaxed);
    // SAFETY: the kernel's information about a fault.
    let address = unsafe { (*info).si_addr() } as usize;
    assert!((page..page + page_size()).contains(&address));
    // SAFETY: all zeros is a valid signal set.
    let mut mask = unsafe { std::mem::zeroed::<libc::sigset_t>() };
    // SAFETY: reads the mask, then changes the rights of a page of the test's.
    unsafe {
        libc::pthread_sigmask(libc::SIG_BLOCK, ptr::null(), &mut mask);
        assert_eq!(libc::sigismember(&mask, libc::SIGUSR1), 1, "the mask it asked for");
        assert_eq!(libc::sigismember(&mask, libc::SIGSEGV), 1, "no SA_NODEFER");
        libc::mprotect(page as *mut c_void, page_size(), libc::PROT_READ);
    }
}

#[test]
fn a_previous_handler_with_information_repairs_its_fault() {
    in_child("linux::signals::tests::a_previous_handler_with_information_repairs_its_fault", || {
        set_action(libc::SIGSEGV, open_page as *const () as usize, libc::SA_SIGINFO);
        let (memory, address) = forbidden();
        PAGE.store(memory.as_ptr() as usize, Ordering::Relaxed);
        install(handle).unwrap();
        // SAFETY: the handler makes the page readable.
        assert_eq!(unsafe { load(address, ptr::null_mut()) }, 0);
        assert!(unblocked());
        // Ours still come to us.
        let (_other, forbidden) = forbidden();
        assert_eq!(fault(load, forbidden).address, Some(forbidden as usize));
    });
}

/// How often `count` ran.
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// An old-style handler.
extern "C" fn count(number: c_int) {
    if COUNT.fetch_add(1, Ordering::Relaxed) == 2 {
        // SAFETY: ends the process.
        unsafe { libc::_exit(40 + number) };
    }
}

#[test]
fn a_previous_old_style_handler_is_called_each_time() {
    let name = "linux::signals::tests::a_previous_old_style_handler_is_called_each_time";
    let Some(output) = run_child(name) else {
        set_action(libc::SIGILL, count as *const () as usize, 0);
        install(handle).unwrap();
        // SAFETY: the handler ends the process at the third fault.
        unsafe { undefined(ptr::null_mut(), ptr::null_mut()) };
        return;
    };
    assert_eq!(output.status.code(), Some(40 + libc::SIGILL));
}

#[test]
fn a_previous_handler_that_wants_to_run_once_does() {
    let Some(signal) = death("a_previous_handler_that_wants_to_run_once_does") else {
        set_action(libc::SIGILL, count as *const () as usize, libc::SA_RESETHAND);
        install(handle).unwrap();
        // SAFETY: dies at the second fault.
        unsafe { undefined(ptr::null_mut(), ptr::null_mut()) };
        return;
    };
    assert_eq!(signal, libc::SIGILL);
}

/// Uses up the stack.
#[expect(unconditional_recursion, reason = "that is what is tested")]
fn recurse(depth: u64) -> u64 {
    let array = std::hint::black_box([depth; 64]);
    recurse(depth + 1) + array[3]
}

#[test]
fn stack_overflow_in_rust_is_still_reported() {
    let name = "linux::signals::tests::stack_overflow_in_rust_is_still_reported";
    let Some(output) = run_child(name) else {
        install(handle).unwrap();
        let overflow = || {
            ensure_sigaltstack().unwrap();
            recurse(0)
        };
        let _ = std::thread::spawn(overflow).join();
        return;
    };
    assert_eq!(output.status.signal(), Some(libc::SIGABRT));
    assert!(String::from_utf8_lossy(&output.stderr).contains("overflowed its stack"));
}

/// A thread of the C library: it has no alternate stack until it asks for one.
extern "C" fn c_thread(_: *mut c_void) -> *mut c_void {
    let size = || super::alternate_stack::exchange(None).map(|stack| (stack.ss_flags, stack.ss_size));
    assert_eq!(size().unwrap().0, libc::SS_DISABLE);
    assert!(ensure_sigaltstack().unwrap());
    let first = size().unwrap();
    assert!(first.0 == 0 && first.1 >= 64 << 10);
    assert!(!ensure_sigaltstack().unwrap());
    assert_eq!(size().unwrap(), first);
    let (_memory, address) = forbidden();
    assert_eq!(fault(load, address).address, Some(address as usize));
    ptr::null_mut()
}

#[test]
fn alternate_stacks_come_and_go_with_their_threads() {
    in_child("linux::signals::tests::alternate_stacks_come_and_go_with_their_threads", || {
        let run_both = || {
            let mut thread = 0;
            // SAFETY: a function that needs no argument, joined below.
            unsafe {
                let status = libc::pthread_create(&mut thread, ptr::null(), c_thread, ptr::null_mut());
                assert_eq!(status, 0);
                assert_eq!(libc::pthread_join(thread, ptr::null_mut()), 0);
            }
            let rust = || _ = ensure_sigaltstack().unwrap();
            std::thread::spawn(rust).join().unwrap();
        };
        run_both();
        let before = mapping_count().unwrap();
        for _ in 0..100 {
            run_both();
        }
        assert!(mapping_count().unwrap() <= before + 2);
    });
}
