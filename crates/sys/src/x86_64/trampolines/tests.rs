//! Tests of the trampolines, expanded with a layout made up here.

use std::arch::naked_asm;
use std::cell::Cell;
use std::mem::offset_of;
use std::ptr;

use super::BuiltinResult;
use crate::code_memory::CodeMemory;
use crate::context::{EntryRecord, EntryStub, caller_of, enter, resume_landing};
use crate::stub::lazy_stub_bytes;
use crate::{builtin_trampoline, lazy_trampoline, preserving_trampoline, record_target_stub};

/// A store context.
#[repr(C)]
#[derive(Default)]
struct Store {
    padding: u64,
    exit_fp: usize,
    record: EntryRecord,
    raised: u64,
    hook_index: Option<usize>,
}

/// An instance context.
#[repr(C)]
struct Vmctx {
    padding: [u64; 3],
    store: *mut Store,
    target: *const u8,
}

/// Raises by landing.
unsafe extern "C" fn raise(store: *mut u8) -> ! {
    let store = store.cast::<Store>();
    // SAFETY: the tests pass a store whose record is active.
    unsafe {
        (*store).raised += 1;
        resume_landing(&raw const (*store).record)
    }
}

/// Overwrites every register that a called function may change, as a compiler would.
#[unsafe(naked)]
unsafe extern "C" fn clobber() {
    naked_asm!(
        "mov rdi, -1",
        "mov rax, rdi",
        "mov rsi, rdi",
        "mov rdx, rdi",
        "mov rcx, rdi",
        "mov r8, rdi",
        "mov r9, rdi",
        "mov r10, rdi",
        "mov r11, rdi",
        ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15",
        "pcmpeqd xmm\\n, xmm\\n",
        ".endr",
        "ret",
    )
}

/// "Compiles" a function: its code is what the instance names, perhaps null.
unsafe extern "C" fn hook(vmctx: *mut u8, what: usize) -> *const u8 {
    let vmctx = vmctx.cast::<Vmctx>();
    // SAFETY: the tests pass valid contexts, and the exit frame is the trampoline's.
    unsafe {
        (*(*vmctx).store).hook_index = Some(what);
        check_exit((*vmctx).store);
        clobber();
        (*vmctx).target
    }
}

/// The exit frame is above this one and its return address is not null.
///
/// # Safety
/// A trampoline is active with this store.
#[track_caller]
unsafe fn check_exit(store: *mut Store) {
    // SAFETY: as the caller promises.
    let exit_fp = unsafe { (*store).exit_fp };
    assert!(exit_fp > crate::stack::approximate_sp() && exit_fp % 16 == 0);
    // SAFETY: the exit frame is live.
    let (return_pc, parent) = unsafe { caller_of(exit_fp) };
    assert!(return_pc != 0 && parent > exit_fp);
}

lazy_trampoline!(
    /// The lazy trampoline of these tests.
    lazy, hook = hook, raise = raise,
    store_offset = offset_of!(Vmctx, store), exit_fp_offset = offset_of!(Store, exit_fp)
);

builtin_trampoline!(
    builtin,
    body = weigh,
    raise = raise,
    store_offset = offset_of!(Vmctx, store),
    exit_fp_offset = offset_of!(Store, exit_fp)
);

/// A builtin: adds its arguments with weights; fails when the last is 0.
unsafe extern "C" fn weigh(vmctx: *mut u8, a: u64, b: u64, c: u64, d: u64, e: u64) -> BuiltinResult {
    // SAFETY: the tests pass a valid context, and the exit frame is the trampoline's.
    unsafe { check_exit((*vmctx.cast::<Vmctx>()).store) };
    if e == 0 {
        return BuiltinResult::failed();
    }
    BuiltinResult::ok(a + 10 * b + 100 * c + 1000 * d + 10_000 * e)
}

/// Context and store of one test.
fn contexts(target: *const u8) -> (Box<Store>, Box<Vmctx>) {
    let mut store = Box::<Store>::default();
    let vmctx = Vmctx { padding: [0; 3], store: &mut *store, target };
    (store, Box::new(vmctx))
}

/// Code memory with one lazy stub for function 7, and the address of the stub.
fn stub_memory() -> (CodeMemory, *const u8) {
    let memory = CodeMemory::new(1 << 16).unwrap();
    let stub = memory.executable_base().wrapping_add(0x100);
    let cell = memory.executable_base().wrapping_add(0x8000);
    let bytes = lazy_stub_bytes(7, stub as usize, cell as usize).unwrap();
    let trampoline = lazy as *const () as u64;
    // SAFETY: the memory is local to the test.
    unsafe {
        memory.write(0x100, &bytes).unwrap();
        memory.store_cell(0x8000, trampoline).unwrap();
    }
    (memory, stub)
}

/// Eight integers, two of them on the stack, and eight floats.
type Many =
    unsafe extern "C" fn(*mut u8, u64, u64, u64, u64, u64, u64, u64, f64, f64, f64, f64, f64, f64, f64, f64) -> f64;

/// Adds everything up with weights.
unsafe extern "C" fn many(
    _vmctx: *mut u8,
    a: u64,
    b: u64,
    c: u64,
    d: u64,
    e: u64,
    f: u64,
    g: u64,
    s: f64,
    t: f64,
    u: f64,
    v: f64,
    w: f64,
    x: f64,
    y: f64,
    z: f64,
) -> f64 {
    let integers = a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g;
    integers as f64 + s + 2.0 * t + 3.0 * u + 4.0 * v + 5.0 * w + 6.0 * x + 7.0 * y + 8.0 * z
}

#[test]
fn a_lazy_stub_keeps_every_argument() {
    let (_memory, stub) = stub_memory();
    let (store, mut vmctx) = contexts(many as *const u8);
    let vmctx: *mut u8 = (&raw mut *vmctx).cast();
    // SAFETY: the stub leads to a function of this type.
    let lazy_many = unsafe { std::mem::transmute::<*const u8, Many>(stub) };
    let call = |function: Many| {
        // SAFETY: a valid context.
        unsafe {
            function(
                vmctx, 1, 20, 300, 4000, 50_000, 600_000, 7_000_000, 0.5, 0.25, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0,
            )
        }
    };
    assert_eq!(call(lazy_many), call(many));
    assert_eq!(store.hook_index, Some(7));
    assert!(store.exit_fp != 0);
}

/// Loads eight vectors from `buffer` and jumps to `code`.
#[unsafe(naked)]
unsafe extern "C" fn load_vectors(vmctx: *mut u8, buffer: *mut [u128; 16], code: *const u8) {
    naked_asm!(
        "movups xmm0, [rsi]",
        "movups xmm1, [rsi + 16]",
        "movups xmm2, [rsi + 32]",
        "movups xmm3, [rsi + 48]",
        "movups xmm4, [rsi + 64]",
        "movups xmm5, [rsi + 80]",
        "movups xmm6, [rsi + 96]",
        "movups xmm7, [rsi + 112]",
        "jmp rdx",
    )
}

/// Stores eight vectors to the second half of `buffer`.
#[unsafe(naked)]
unsafe extern "C" fn store_vectors(vmctx: *mut u8, buffer: *mut [u128; 16]) {
    naked_asm!(
        "movups [rsi + 128], xmm0",
        "movups [rsi + 144], xmm1",
        "movups [rsi + 160], xmm2",
        "movups [rsi + 176], xmm3",
        "movups [rsi + 192], xmm4",
        "movups [rsi + 208], xmm5",
        "movups [rsi + 224], xmm6",
        "movups [rsi + 240], xmm7",
        "ret",
    )
}

#[test]
fn a_lazy_stub_keeps_whole_vectors() {
    let (_memory, stub) = stub_memory();
    let (store, mut vmctx) = contexts(store_vectors as *const u8);
    let mut buffer = [0_u128; 16];
    for (value, slot) in (1..).zip(&mut buffer[..8]) {
        *slot = (value << 100) | value;
    }
    // SAFETY: the stub leads to `store_vectors`.
    unsafe { load_vectors((&raw mut *vmctx).cast(), &mut buffer, stub) };
    assert_eq!(buffer[..8], buffer[8..]);
    assert_eq!(store.raised, 0);
}

/// An entry stub for `fn(context, u64 x 5) -> u64`; the arguments and the result lie in `args`.
#[unsafe(naked)]
unsafe extern "C" fn entry_stub(code: *const u8, vmctx: *mut u8, args: *mut u128) {
    naked_asm!(
        "push rbp",
        "mov rbp, rsp",
        "push rdx",
        "sub rsp, 8",
        "mov rax, rdi",
        "mov rdi, rsi",
        "mov r11, rdx",
        "mov rsi, [r11]",
        "mov rdx, [r11 + 16]",
        "mov rcx, [r11 + 32]",
        "mov r8, [r11 + 48]",
        "mov r9, [r11 + 64]",
        "call rax",
        "mov rdx, [rbp - 8]",
        "mov [rdx], rax",
        "leave",
        "ret",
    )
}

/// Enters `code` and says whether it landed.
fn run(store: &mut Store, stub: EntryStub, code: *const u8, context: *mut u8, args: &mut [u128]) -> bool {
    // SAFETY: the tests pass stub, code and arguments that belong together.
    unsafe { enter(&mut store.record, stub, code, context, args.as_mut_ptr()) == 1 }
}

#[test]
fn a_hook_that_fails_raises() {
    let (_memory, stub) = stub_memory();
    let (mut store, mut vmctx) = contexts(ptr::null());
    let context = (&raw mut *vmctx).cast();
    for round in 1..=3 {
        assert!(run(&mut store, entry_stub, stub, context, &mut [1, 2, 3, 4, 5]));
        assert_eq!((store.raised, store.hook_index), (round, Some(7)));
    }
}

#[test]
fn a_builtin_returns_or_raises() {
    let (mut store, mut vmctx) = contexts(ptr::null());
    let context: *mut u8 = (&raw mut *vmctx).cast();
    let code = builtin as *const u8;
    let mut args = [1, 2, 3, 4, 5];
    assert!(!run(&mut store, entry_stub, code, context, &mut args));
    assert_eq!((args[0], store.raised), (54_321, 0));
    assert!(run(&mut store, entry_stub, code, context, &mut [1, 2, 3, 4, 0]));
    assert_eq!(store.raised, 1);
}

thread_local! {
    /// The store whose code runs on this thread, and whether what its loops call fails.
    static LOOP: Cell<(*mut Store, bool)> = const { Cell::new((ptr::null_mut(), false)) };
}

preserving_trampoline!(look, body = look_around, raise = raise);

/// What loops call.
unsafe extern "C" fn look_around(exit_fp: usize) -> BuiltinResult {
    let (store, fails) = LOOP.get();
    // SAFETY: the tests set a store that lives, and the exit frame is the trampoline's.
    unsafe {
        (*store).exit_fp = exit_fp;
        check_exit(store);
        clobber();
    }
    BuiltinResult { value: store as u64, failed: fails.into() }
}

/// Registers that a called function may change.
#[repr(C)]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Registers {
    /// `rdi`, `rsi`, `rdx`, `rcx`, `r8`, `r9`, `rax`, `r10`, `r11`, and one that is none.
    integers: [u64; 10],
    vectors: [u128; 16],
}

/// A loop that calls what loops call, with all registers as in `before`, and says what they are `after` that.
#[unsafe(naked)]
unsafe extern "C" fn busy_loop(before: *const Registers, after: *mut Registers) {
    naked_asm!(
        "push rbp",
        "mov rbp, rsp",
        "push rbx",
        "push r12",
        "mov rbx, rsi",
        "mov r12, rdi",
        ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15",
        "movups xmm\\n, [r12 + 80 + 16 * \\n]",
        ".endr",
        "mov rdi, [r12]",
        "mov rsi, [r12 + 8]",
        "mov rdx, [r12 + 16]",
        "mov rcx, [r12 + 24]",
        "mov r8, [r12 + 32]",
        "mov r9, [r12 + 40]",
        "mov rax, [r12 + 48]",
        "mov r10, [r12 + 56]",
        "mov r11, [r12 + 64]",
        "call {look}",
        "mov [rbx], rdi",
        "mov [rbx + 8], rsi",
        "mov [rbx + 16], rdx",
        "mov [rbx + 24], rcx",
        "mov [rbx + 32], r8",
        "mov [rbx + 40], r9",
        "mov [rbx + 48], rax",
        "mov [rbx + 56], r10",
        "mov [rbx + 64], r11",
        ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15",
        "movups [rbx + 80 + 16 * \\n], xmm\\n",
        ".endr",
        "pop r12",
        "pop rbx",
        "pop rbp",
        "ret",
        look = sym look,
    )
}

#[test]
fn what_loops_call_keeps_every_register_or_raises() {
    let (mut store, _vmctx) = contexts(ptr::null());
    let mut before = Registers::default();
    for (value, register) in (1..).zip(&mut before.integers[..9]) {
        *register = value << 40 | value;
    }
    for (value, register) in (1..).zip(&mut before.vectors) {
        *register = value << 100 | value;
    }
    let context = (&raw mut before).cast::<u8>();
    let mut call = |fails| {
        LOOP.set((&raw mut *store, fails));
        let mut after = Registers::default();
        let mut args = [0; 5];
        args[0] = (&raw mut after).expose_provenance() as u128;
        let landed = run(&mut store, entry_stub, busy_loop as *const u8, context, &mut args);
        (landed, store.raised, after)
    };
    assert_eq!(call(false), (false, 0, before.clone()));
    assert_eq!(call(true), (true, 1, Registers::default()));
    assert_eq!(call(false), (false, 1, before.clone()));
}

record_target_stub!(record, targets = 4);

/// Counts `number` at `site`, and says which registers of those that must be kept have changed.
#[unsafe(naked)]
unsafe extern "C" fn record_once(site: *mut u32, number: u32, changed: *mut u64) {
    naked_asm!(
        "push rbx",
        "mov rbx, rdx",
        "mov r10, rdi",
        "mov r11d, esi",
        "mov rax, 1",
        "mov rcx, 2",
        "mov rdx, 3",
        "mov r8, 4",
        "mov r9, 5",
        "call {record}",
        "sub rax, 1",
        "sub rcx, 2",
        "sub rdx, 3",
        "sub r8, 4",
        "sub r9, 5",
        "or rax, rcx",
        "or rax, rdx",
        "or rax, r8",
        "or rax, r9",
        "mov [rbx], rax",
        "pop rbx",
        "ret",
        record = sym record,
    )
}

#[test]
fn targets_are_counted_in_the_order_of_their_first_call() {
    let mut site = [0_u32; 10];
    for number in [7, 9, 7, 1, 2, 3, 9, 7, 4, 2] {
        let mut changed = 1;
        // SAFETY: the site has four targets and a count of the others.
        unsafe { record_once(site.as_mut_ptr(), number, &raw mut changed) };
        assert_eq!(changed, 0);
    }
    assert_eq!(site, [7, 3, 9, 2, 1, 1, 2, 2, 2, 0]);
}
