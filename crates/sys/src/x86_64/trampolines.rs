//! Trampolines: how compiled code calls Rust. Each macro makes one naked function in the crate that knows the layout.
//!
//! All do the same things in the same order:
//! 1. Build a frame and store its frame pointer as the *exit frame pointer* in the store context (or have the Rust function
//!    store it, where the context is not at hand). That marks where compiled code was left: `[exit_fp + 8]` is the return
//!    address inside it and `[exit_fp]` the frame pointer of the frame that called, where a stack walk starts.
//! 2. Call the Rust function.
//! 3. If it failed, call `raise(store)`, which does not come back; else return as if nothing had happened.
//!
//! Compiled code uses the `tail` convention, whose first six integer and eight vector arguments, and single result in
//! `rax`, are those of the C convention; callee-saved are `rbx`, `rbp` and `r12` to `r15` in both, and no vector register.
//! So a trampoline without stack arguments has nothing to move.
//!
//! [`record_target_stub!`](crate::record_target_stub) is the exception: it calls nothing, and keeps nearly all registers.
//!
//! The Rust functions must not unwind: a panic out of an `extern "C"` function aborts. They may run compiled code again
//! through [`enter`](crate::context::enter), whose caller saves and restores the exit frame pointer.
//!
//! Offsets are bytes, constants that fit a signed 32-bit displacement.

#[cfg(test)]
mod tests;

/// What the body of a builtin returns, in `rax` and `rdx`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BuiltinResult {
    /// The result for compiled code; floats as their bits. Meaningless when `failed`.
    pub value: u64,
    /// Not 0: the reason lies in the store, and must be raised.
    pub failed: u64,
}

impl BuiltinResult {
    /// Success with a value.
    #[inline]
    pub const fn ok(value: u64) -> Self {
        Self { value, failed: 0 }
    }

    /// Failure; the reason lies in the store.
    #[inline]
    pub const fn failed() -> Self {
        Self { value: 0, failed: 1 }
    }
}

/// Raises the trap or exception that lies in the store. Does not return.
pub type Raise = unsafe extern "C" fn(store: *mut u8) -> !;

/// Makes a function callable: compiles it, or finds better code for it, or deals with an interrupt first, and returns the
/// code to go on in; or null when the reason why not lies in the store. `what` says which function: a number or an address.
pub type LazyHook = unsafe extern "C" fn(vmctx: *mut u8, what: usize) -> *const u8;

/// Defines the function that lazy stubs ([`lazy_stub_bytes`](crate::stub::lazy_stub_bytes)) jump to, or code that wants to
/// be replaced at its entry, or that was interrupted there.
///
/// ```
/// # use upshift_sys as sys;
/// unsafe extern "C" fn hook(vmctx: *mut u8, what: usize) -> *const u8 {
///     std::ptr::null()
/// }
/// unsafe extern "C" fn raise(store: *mut u8) -> ! {
///     std::process::abort()
/// }
/// sys::lazy_trampoline!(pub(crate) compile_lazily, hook = hook, raise = raise,
///     store_offset = 8, exit_fp_offset = 16);
/// ```
///
/// At entry: `r11` says which function, for the hook, `rdi` is the `vmctx`, all other arguments are where the callee expects
/// them. `hook` is a [`LazyHook`](crate::trampolines::LazyHook), `raise` a [`Raise`](crate::trampolines::Raise). The store context
/// pointer lies at `[vmctx + store_offset]`, the exit frame pointer at `[store + exit_fp_offset]`. All argument registers
/// (the low 128 bits of the vector ones) are saved around the hook, and the code that it returns is jumped to.
#[macro_export]
macro_rules! lazy_trampoline {
    ($(#[$meta:meta])* $vis:vis $name:ident, hook = $hook:path, raise = $raise:path,
     store_offset = $store:expr, exit_fp_offset = $exit_fp:expr $(,)?) => {
        $(#[$meta])*
        ///
        /// # Safety
        /// Only a lazy stub, or code in its place, may jump here.
        #[unsafe(naked)]
        $vis unsafe extern "C" fn $name() {
            const _: $crate::trampolines::LazyHook = $hook;
            const _: $crate::trampolines::Raise = $raise;
            ::core::arch::naked_asm!(
                "push rbp",
                "mov rbp, rsp",
                "sub rsp, 176", // 8 vectors and 6 integers; a multiple of 16
                "mov [rsp + 128], rdi",
                "mov [rsp + 136], rsi",
                "mov [rsp + 144], rdx",
                "mov [rsp + 152], rcx",
                "mov [rsp + 160], r8",
                "mov [rsp + 168], r9",
                ".irp n, 0,1,2,3,4,5,6,7",
                "movaps [rsp + 16 * \\n], xmm\\n",
                ".endr",
                "mov r10, [rdi + {store}]",
                "mov [r10 + {exit_fp}], rbp",
                "mov rsi, r11",
                "call {hook}",
                "mov rdi, [rsp + 128]",
                "test rax, rax",
                "jz 2f",
                "mov r11, rax",
                "mov rsi, [rsp + 136]",
                "mov rdx, [rsp + 144]",
                "mov rcx, [rsp + 152]",
                "mov r8, [rsp + 160]",
                "mov r9, [rsp + 168]",
                ".irp n, 0,1,2,3,4,5,6,7",
                "movaps xmm\\n, [rsp + 16 * \\n]",
                ".endr",
                "leave",
                "jmp r11",
                "2:",
                "mov rdi, [rdi + {store}]",
                "call {raise}",
                "ud2",
                hook = sym $hook,
                raise = sym $raise,
                store = const $store,
                exit_fp = const $exit_fp,
            )
        }
    };
}

/// Defines the function that compiled code calls for a builtin.
///
/// ```
/// # use upshift_sys as sys;
/// # unsafe extern "C" fn raise(store: *mut u8) -> ! {
/// #     std::process::abort()
/// # }
/// unsafe extern "C" fn add(vmctx: *mut u8, a: u64, b: u64) -> sys::trampolines::BuiltinResult {
///     sys::trampolines::BuiltinResult::ok(a + b)
/// }
/// sys::builtin_trampoline!(pub(crate) call_add, body = add, raise = raise,
///     store_offset = 8, exit_fp_offset = 16);
/// ```
///
/// At entry: `rdi` is the `vmctx`, up to five more integer arguments in registers, none on the stack. `body` takes the same
/// arguments, `extern "C"`, and returns a [`BuiltinResult`](crate::trampolines::BuiltinResult) — the macro cannot check
/// that. The value comes back in `rax`. `raise` and the offsets are as in [`lazy_trampoline!`](crate::lazy_trampoline).
#[macro_export]
macro_rules! builtin_trampoline {
    ($(#[$meta:meta])* $vis:vis $name:ident, body = $body:path, raise = $raise:path,
     store_offset = $store:expr, exit_fp_offset = $exit_fp:expr $(,)?) => {
        $(#[$meta])*
        ///
        /// # Safety
        /// Only compiled code may call this, with the arguments of the builtin.
        #[unsafe(naked)]
        $vis unsafe extern "C" fn $name() {
            const _: $crate::trampolines::Raise = $raise;
            ::core::arch::naked_asm!(
                "push rbp",
                "mov rbp, rsp",
                "mov r11, [rdi + {store}]",
                "mov [r11 + {exit_fp}], rbp",
                "push rdi",
                "sub rsp, 8", // 16-byte alignment at the call
                "call {body}",
                "test rdx, rdx",
                "jnz 2f",
                "leave",
                "ret",
                "2:",
                "mov rdi, [rbp - 8]",
                "mov rdi, [rdi + {store}]",
                "call {raise}",
                "ud2",
                body = sym $body,
                raise = sym $raise,
                store = const $store,
                exit_fp = const $exit_fp,
            )
        }
    };
}

/// Defines the function that compiled code calls in loops, where it has no registers to spare, for what happens once in a
/// million rounds.
///
/// ```
/// # use upshift_sys as sys;
/// # unsafe extern "C" fn raise(store: *mut u8) -> ! {
/// #     std::process::abort()
/// # }
/// unsafe extern "C" fn look(exit_fp: usize) -> sys::trampolines::BuiltinResult {
///     sys::trampolines::BuiltinResult::ok(0)
/// }
/// sys::preserving_trampoline!(pub(crate) call_look, body = look, raise = raise);
/// ```
///
/// Takes nothing, not even a context: `body` has to find the store, and to record its argument as the exit frame pointer.
/// If it fails, its value is the store for `raise`. All registers (the low 128 bits of the vector ones) are kept; the flags
/// change.
#[macro_export]
macro_rules! preserving_trampoline {
    ($(#[$meta:meta])* $vis:vis $name:ident, body = $body:path, raise = $raise:path $(,)?) => {
        $(#[$meta])*
        ///
        /// # Safety
        /// Only compiled code may call this.
        #[unsafe(naked)]
        $vis unsafe extern "C" fn $name() {
            const _: unsafe extern "C" fn(usize) -> $crate::trampolines::BuiltinResult = $body;
            const _: $crate::trampolines::Raise = $raise;
            ::core::arch::naked_asm!(
                "push rbp",
                "mov rbp, rsp",
                "sub rsp, 336", // 16 vectors and 9 integers; a multiple of 16
                "mov [rsp + 256], rdi",
                "mov [rsp + 264], rsi",
                "mov [rsp + 272], rdx",
                "mov [rsp + 280], rcx",
                "mov [rsp + 288], r8",
                "mov [rsp + 296], r9",
                "mov [rsp + 304], rax",
                "mov [rsp + 312], r10",
                "mov [rsp + 320], r11",
                ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15",
                "movaps [rsp + 16 * \\n], xmm\\n",
                ".endr",
                "mov rdi, rbp",
                "call {body}",
                "test rdx, rdx",
                "jnz 2f",
                "mov rdi, [rsp + 256]",
                "mov rsi, [rsp + 264]",
                "mov rdx, [rsp + 272]",
                "mov rcx, [rsp + 280]",
                "mov r8, [rsp + 288]",
                "mov r9, [rsp + 296]",
                "mov rax, [rsp + 304]",
                "mov r10, [rsp + 312]",
                "mov r11, [rsp + 320]",
                ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15",
                "movaps xmm\\n, [rsp + 16 * \\n]",
                ".endr",
                "leave",
                "ret",
                "2:",
                "mov rdi, rax",
                "call {raise}",
                "ud2",
                body = sym $body,
                raise = sym $raise,
            )
        }
    };
}

/// Defines the function that compiled code calls to count the target of an indirect call.
///
/// ```
/// # use upshift_sys as sys;
/// sys::record_target_stub!(pub(crate) record_target, targets = 4);
/// ```
///
/// At entry: `r10` is the address of a site, `r11d` a number that stands for the target. A site is `targets` pairs of a
/// number and a count (32 bits each), in the order of their first use, and then a count of everything else. Changes `r10`,
/// `r11` and the flags only. Counts of several threads may get lost.
#[macro_export]
macro_rules! record_target_stub {
    ($(#[$meta:meta])* $vis:vis $name:ident, targets = $targets:expr $(,)?) => {
        $(#[$meta])*
        ///
        /// # Safety
        /// Only compiled code may call this, with a site in `r10`.
        #[unsafe(naked)]
        $vis unsafe extern "C" fn $name() {
            ::core::arch::naked_asm!(
                ".rept {targets}",
                "cmp dword ptr [r10], r11d",
                "je 3f",
                "cmp dword ptr [r10], 0",
                "je 2f",
                "add r10, 8",
                ".endr",
                "inc dword ptr [r10]",
                "ret",
                "2:",
                "mov dword ptr [r10], r11d",
                "3:",
                "inc dword ptr [r10 + 4]",
                "ret",
                targets = const $targets,
            )
        }
    };
}
