//! `TrapContext`: the interrupted thread as a signal handler sees and redirects it. Linux on x86-64.

use std::ffi::c_void;

use libc::{REG_EFL, REG_R11, REG_RBP, REG_RDI, REG_RDX, REG_RIP, REG_RSI, REG_RSP, c_int, siginfo_t, ucontext_t};

/// Bytes below the stack pointer that leaf code may use without moving it (System V ABI, 3.2.2).
const RED_ZONE: usize = 128;

/// The direction flag of the flags register; the C convention wants it clear.
const DIRECTION_FLAG: i64 = 1 << 10;

/// `si_code` of a signal the kernel raised without saying why; an access to a non-canonical address comes so.
const SI_KERNEL: c_int = 0x80;

/// The signals that a faulting instruction raises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Access to memory that is not mapped or not allowed.
    Segv,
    /// Access to a mapping without memory behind it.
    Bus,
    /// An instruction that does not exist, such as `ud2`.
    Ill,
    /// Integer division by zero or with an overflow; unmasked floating-point exceptions.
    Fpe,
}

impl Signal {
    /// All four.
    pub const ALL: [Self; 4] = [Self::Segv, Self::Bus, Self::Ill, Self::Fpe];

    /// The number the system knows it by.
    pub(super) fn number(self) -> c_int {
        match self {
            Self::Segv => libc::SIGSEGV,
            Self::Bus => libc::SIGBUS,
            Self::Ill => libc::SIGILL,
            Self::Fpe => libc::SIGFPE,
        }
    }

    /// The inverse of [`number`](Self::number); `None` for any other signal.
    pub(super) fn from_number(number: c_int) -> Option<Self> {
        Self::ALL.into_iter().find(|signal| signal.number() == number)
    }
}

/// A fault: which signal, where, and the registers, which [`redirect`](Self::redirect) may change.
pub struct TrapContext<'a> {
    signal: Signal,
    info: &'a siginfo_t,
    context: &'a mut ucontext_t,
}

impl<'a> TrapContext<'a> {
    /// Wraps the arguments of a signal handler; `None` for a signal that is not one of ours.
    ///
    /// # Safety
    /// The pointers are those the kernel passed, and nobody else uses what they point to during `'a`.
    pub(super) unsafe fn new(number: c_int, info: *mut siginfo_t, context: *mut c_void) -> Option<Self> {
        let signal = Signal::from_number(number)?;
        // SAFETY: as the caller promises.
        let info = unsafe { info.as_ref() }?;
        // SAFETY: as the caller promises; the third argument of a `SA_SIGINFO` handler is a `ucontext_t`.
        let context = unsafe { context.cast::<ucontext_t>().as_mut() }?;
        Some(Self { signal, info, context })
    }

    /// Whether the interrupted instruction raised the signal, rather than a process that sent it.
    pub(super) fn is_fault(&self) -> bool {
        self.info.si_code > 0
    }

    /// Which signal.
    pub fn signal(&self) -> Signal {
        self.signal
    }

    /// The address of the instruction that faulted (not of the next).
    pub fn pc(&self) -> usize {
        self.register(REG_RIP)
    }

    /// The frame pointer register. Before the second instruction of a function it is still the caller's.
    pub fn fp(&self) -> usize {
        self.register(REG_RBP)
    }

    /// The stack pointer register.
    pub fn sp(&self) -> usize {
        self.register(REG_RSP)
    }

    /// The first argument register (`rdi`): `vmctx` as long as nothing else was put there.
    pub fn arg0(&self) -> usize {
        self.register(REG_RDI)
    }

    /// The second argument register (`rsi`).
    pub fn arg1(&self) -> usize {
        self.register(REG_RSI)
    }

    /// The third argument register (`rdx`).
    pub fn arg2(&self) -> usize {
        self.register(REG_RDX)
    }

    /// The address whose access faulted. `None` when the signal is not about an access, or the processor did not tell,
    /// which is how a non-canonical address comes.
    pub fn fault_address(&self) -> Option<usize> {
        match self.signal {
            Signal::Segv | Signal::Bus if self.info.si_code != SI_KERNEL => {
                // SAFETY: the kernel fills the address for every fault of these signals with a code of its own.
                Some(unsafe { self.info.si_addr() } as usize)
            }
            Signal::Segv | Signal::Bus | Signal::Ill | Signal::Fpe => None,
        }
    }

    /// Makes the thread call `target(arg0, arg1, arg2)` when the signal handler returns: on the interrupted stack, below
    /// whatever the interrupted code may still have had there, aligned as at a call, with no return address, and with the
    /// frame pointer as it was.
    ///
    /// The interrupted code never continues, so `target` must find its own way, such as
    /// [`resume_landing`](crate::context::resume_landing).
    pub fn redirect(&mut self, target: RedirectTarget, arg0: usize, arg1: usize, arg2: usize) {
        let sp = call_sp(self.sp());
        self.set_register(REG_RIP, target as usize);
        self.set_register(REG_RSP, sp);
        self.set_register(REG_RDI, arg0);
        self.set_register(REG_RSI, arg1);
        self.set_register(REG_RDX, arg2);
        self.context.uc_mcontext.gregs[REG_EFL as usize] &= !DIRECTION_FLAG;
    }

    /// Makes the thread go on at `target` when the signal handler returns, as if its function, which has only set up its
    /// frame pointer, had not begun: with the caller's frame pointer, the return address on top of the stack, and every
    /// argument where it was. `r11` tells `target` what this is about.
    ///
    /// # Safety
    /// The interrupted code has pushed `rbp`, copied `rsp` to it, and changed no other register since its entry than `r10`,
    /// `r11` and `rsp`.
    pub unsafe fn restart(&mut self, target: *const u8, r11: usize) {
        let fp = self.fp();
        let frame = std::ptr::with_exposed_provenance::<usize>(fp);
        // SAFETY: the caller promises that the frame's first word is the caller's frame pointer.
        self.set_register(REG_RBP, unsafe { frame.read() });
        self.set_register(REG_RSP, fp.wrapping_add(size_of::<usize>()));
        self.set_register(REG_RIP, target as usize);
        self.set_register(REG_R11, r11);
    }

    /// Reads a register by its index in the saved set.
    fn register(&self, index: c_int) -> usize {
        self.context.uc_mcontext.gregs[index as usize] as usize
    }

    /// Sets a register by its index in the saved set.
    fn set_register(&mut self, index: c_int, value: usize) {
        self.context.uc_mcontext.gregs[index as usize] = value as i64;
    }
}

/// Where [`TrapContext::redirect`] can send a thread.
pub type RedirectTarget = unsafe extern "C" fn(usize, usize, usize) -> !;

/// The stack pointer at the entry of a function called over the frame of code interrupted at `sp`.
fn call_sp(sp: usize) -> usize {
    (sp.wrapping_sub(RED_ZONE) & !15).wrapping_sub(8)
}
