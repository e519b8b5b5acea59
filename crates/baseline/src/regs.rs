//! The register file: which register holds what, which may be taken.
//!
//! A register holds at most one local (whose image place is then up to date, or *dirty*) and any number of operands that
//! are copies of it; or operands alone; or a *cache* (the context, the base of memory 0), which is dropped, never stored.
//! The code that moves values is in [`crate::value_stack`]; here is only the bookkeeping.
//!
//! Invariant: an integer register that holds an `i32` is zero-extended to 64 bits.

use crate::asm::x64::{Gpr, Xmm};

/// A register of either class: 0 to 15 are the general purpose ones by their numbers, 16 to 31 the vector ones.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Reg(u8);

impl Reg {
    #[inline]
    pub(crate) const fn int(register: Gpr) -> Reg {
        Reg(register.number())
    }

    #[inline]
    pub(crate) const fn float(register: Xmm) -> Reg {
        Reg(register.number() | 16)
    }

    /// The register with this number, of which the low five bits count.
    #[inline]
    pub(crate) const fn new(number: u8) -> Reg {
        Reg(number & 31)
    }

    #[inline]
    pub(crate) const fn number(self) -> u8 {
        self.0
    }

    #[inline]
    pub(crate) const fn index(self) -> usize {
        (self.0 & 31) as usize
    }

    #[inline]
    pub(crate) const fn is_float(self) -> bool {
        self.0 & 16 != 0
    }

    /// This register as a general purpose one.
    #[inline]
    pub(crate) const fn gpr(self) -> Gpr {
        Gpr::new(self.0 & 15)
    }

    /// This register as a vector one.
    #[inline]
    pub(crate) const fn xmm(self) -> Xmm {
        Xmm::new(self.0 & 15)
    }
}

impl From<Gpr> for Reg {
    #[inline]
    fn from(register: Gpr) -> Reg {
        Reg::int(register)
    }
}

impl From<Xmm> for Reg {
    #[inline]
    fn from(register: Xmm) -> Reg {
        Reg::float(register)
    }
}

/// A set of registers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct RegSet(pub(crate) u32);

impl RegSet {
    pub(crate) const EMPTY: RegSet = RegSet(0);
    /// Integer registers that calls change and that may hold values: rax rcx rdx rsi rdi r8 r9 r10. `r11` is scratch.
    pub(crate) const CALLER_SAVED: RegSet = RegSet(0b0000_0111_1100_0111);
    /// rbx r12 r13 r14 r15.
    pub(crate) const CALLEE_SAVED: RegSet = RegSet(0b1111_0000_0000_1000);
    /// All integer registers that may hold values.
    pub(crate) const INTS: RegSet = RegSet(RegSet::CALLER_SAVED.0 | RegSet::CALLEE_SAVED.0);
    /// xmm0 to xmm14. `xmm15` is scratch. Calls change all of them.
    pub(crate) const FLOATS: RegSet = RegSet(0x7fff_0000);

    #[inline]
    pub(crate) const fn of(register: Reg) -> RegSet {
        RegSet(1 << (register.0 & 31))
    }

    #[inline]
    pub(crate) const fn contains(self, register: Reg) -> bool {
        self.0 & RegSet::of(register).0 != 0
    }

    #[inline]
    pub(crate) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    #[inline]
    pub(crate) const fn and(self, other: RegSet) -> RegSet {
        RegSet(self.0 & other.0)
    }

    #[inline]
    pub(crate) const fn or(self, other: RegSet) -> RegSet {
        RegSet(self.0 | other.0)
    }

    #[inline]
    pub(crate) const fn without(self, other: RegSet) -> RegSet {
        RegSet(self.0 & !other.0)
    }

    #[inline]
    pub(crate) fn insert(&mut self, register: Reg) {
        self.0 |= RegSet::of(register).0;
    }

    #[inline]
    pub(crate) fn remove(&mut self, register: Reg) {
        self.0 &= !RegSet::of(register).0;
    }

    /// The one with the lowest number.
    #[inline]
    pub(crate) const fn first(self) -> Option<Reg> {
        if self.0 == 0 { None } else { Some(Reg(self.0.trailing_zeros() as u8)) }
    }

    /// All of them, by rising number.
    #[inline]
    pub(crate) fn iter(self) -> impl Iterator<Item = Reg> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let first = RegSet(rest).first()?;
            rest &= rest - 1;
            Some(first)
        })
    }
}

/// No slot.
pub(crate) const NONE: u32 = u32::MAX;

/// What a register holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Owner {
    /// The local, or [`NONE`].
    pub(crate) local: u32,
    /// Number of operands that are this register.
    pub(crate) uses: u32,
    /// None of them lies below this slot.
    pub(crate) slot: u32,
}

impl Owner {
    const NOTHING: Owner = Owner { local: NONE, uses: 0, slot: NONE };
}

/// A value that is not the program's own but handy to have in a register. It can be loaded again at any time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Cache {
    /// The instance context.
    Context = 0,
    /// The base of memory 0.
    MemoryBase = 1,
}

impl Cache {
    pub(crate) const ALL: [Cache; 2] = [Cache::Context, Cache::MemoryBase];
}

/// Which register holds what.
pub(crate) struct Registers {
    owners: [Owner; 32],
    /// Those that hold nothing.
    free: RegSet,
    /// Those that the operator at hand works with: not to be taken.
    pub(crate) pinned: RegSet,
    /// Those of them that it has popped twice: none of its operands may be changed there.
    pub(crate) shared: RegSet,
    /// Those that hold a local whose image is out of date.
    pub(crate) dirty: RegSet,
    caches: [Option<Reg>; 2],
    /// Callee-saved registers that the function has used.
    pub(crate) saved: RegSet,
    /// Where the search for a register to evict starts.
    pub(crate) clock: u8,
}

impl Registers {
    pub(crate) fn new() -> Registers {
        Registers {
            owners: [Owner::NOTHING; 32],
            free: RegSet::INTS.or(RegSet::FLOATS),
            pinned: RegSet::EMPTY,
            shared: RegSet::EMPTY,
            dirty: RegSet::EMPTY,
            caches: [None; 2],
            saved: RegSet::EMPTY,
            clock: 0,
        }
    }

    /// Nothing is pinned any more.
    #[inline]
    pub(crate) fn unpin(&mut self) {
        self.pinned = RegSet::EMPTY;
        self.shared = RegSet::EMPTY;
    }

    /// The operator at hand works with what it popped to this register.
    #[inline]
    pub(crate) fn pin_popped(&mut self, register: Reg) {
        if self.pinned.contains(register) {
            self.shared.insert(register);
        }
        self.pinned.insert(register);
    }

    /// Registers that hold nothing and are not pinned.
    #[inline]
    pub(crate) fn available(&self) -> RegSet {
        self.free.without(self.pinned)
    }

    /// Registers that hold something, caches included.
    #[inline]
    pub(crate) fn taken(&self) -> RegSet {
        RegSet::INTS.or(RegSet::FLOATS).without(self.free)
    }

    #[inline]
    pub(crate) fn owner(&self, register: Reg) -> Owner {
        self.owners[register.index()]
    }

    #[inline]
    pub(crate) fn cache(&self, cache: Cache) -> Option<Reg> {
        self.caches[cache as usize]
    }

    /// The cache that the register holds.
    pub(crate) fn cache_in(&self, register: Reg) -> Option<Cache> {
        Cache::ALL.into_iter().find(|&cache| self.caches[cache as usize] == Some(register))
    }

    /// The register, which is free, holds the cache from now on.
    pub(crate) fn set_cache(&mut self, cache: Cache, register: Reg) {
        self.caches[cache as usize] = Some(register);
        self.free.remove(register);
    }

    pub(crate) fn drop_cache(&mut self, cache: Cache) {
        if let Some(register) = self.caches[cache as usize].take() {
            self.free.insert(register);
        }
    }

    /// The operand in `slot`, the topmost, is this register.
    #[inline]
    pub(crate) fn add_use(&mut self, register: Reg, slot: u32) {
        let owner = &mut self.owners[register.index()];
        if owner.uses == 0 {
            owner.slot = slot;
        }
        owner.uses += 1;
        self.free.remove(register);
    }

    /// The topmost operand that is this register is gone.
    #[inline]
    pub(crate) fn drop_use(&mut self, register: Reg) {
        let owner = &mut self.owners[register.index()];
        owner.uses = owner.uses.saturating_sub(1);
        if owner.uses == 0 && owner.local == NONE {
            self.free.insert(register);
        }
    }

    /// The operand in `slot` is the only one that is this register.
    #[inline]
    pub(crate) fn set_only_use(&mut self, register: Reg, slot: u32) {
        self.owners[register.index()].slot = slot;
    }

    /// The operand in `slot`, the lowest of those that are this register, is gone.
    pub(crate) fn drop_lowest_use(&mut self, register: Reg, slot: u32) {
        self.owners[register.index()].slot = slot + 1;
        self.drop_use(register);
    }

    /// The register holds the local from now on, besides the operands it has.
    #[inline]
    pub(crate) fn set_local(&mut self, register: Reg, local: u32, dirty: bool) {
        self.owners[register.index()].local = local;
        self.free.remove(register);
        if dirty {
            self.dirty.insert(register);
        }
    }

    /// The register does not hold its local any more.
    #[inline]
    pub(crate) fn drop_local(&mut self, register: Reg) {
        let owner = &mut self.owners[register.index()];
        owner.local = NONE;
        self.dirty.remove(register);
        if owner.uses == 0 {
            self.free.insert(register);
        }
    }

    /// All that one register holds is in another one, which held nothing, from now on.
    pub(crate) fn rename(&mut self, from: Reg, to: Reg) {
        self.owners[to.index()] = std::mem::replace(&mut self.owners[from.index()], Owner::NOTHING);
        self.free.insert(from);
        self.free.remove(to);
        if self.dirty.contains(from) {
            self.dirty.remove(from);
            self.dirty.insert(to);
        }
    }

    /// The register holds nothing, whatever it held; not for caches.
    pub(crate) fn release(&mut self, register: Reg) {
        self.owners[register.index()] = Owner::NOTHING;
        self.dirty.remove(register);
        self.free.insert(register);
    }

    /// No register holds anything.
    pub(crate) fn release_all(&mut self) {
        for register in self.taken().iter() {
            self.owners[register.index()] = Owner::NOTHING;
        }
        self.free = RegSet::INTS.or(RegSet::FLOATS);
        self.dirty = RegSet::EMPTY;
        self.caches = [None; 2];
    }
}
