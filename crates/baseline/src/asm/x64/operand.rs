//! What an instruction works on: registers, widths, conditions and memory operands.

use super::constant::RipLabel;

/// A general purpose register, by its number in the encoding.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Gpr(u8);

macro_rules! registers {
    ($type:ident: $($name:ident = $number:literal),* $(,)?) => {
        impl $type {
            $(pub(crate) const $name: $type = $type($number);)*

            /// The register with this number; only the low four bits count.
            #[inline]
            pub(crate) const fn new(number: u8) -> $type {
                $type(number & 15)
            }

            /// 0 to 15.
            #[inline]
            pub(crate) const fn number(self) -> u8 {
                self.0
            }
        }
    };
}

registers! { Gpr:
    RAX = 0, RCX = 1, RDX = 2, RBX = 3, RSP = 4, RBP = 5, RSI = 6, RDI = 7,
    R8 = 8, R9 = 9, R10 = 10, R11 = 11, R12 = 12, R13 = 13, R14 = 14, R15 = 15,
}

/// A vector register.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Xmm(u8);

registers! { Xmm:
    XMM0 = 0, XMM1 = 1, XMM2 = 2, XMM3 = 3, XMM4 = 4, XMM5 = 5, XMM6 = 6, XMM7 = 7,
    XMM8 = 8, XMM9 = 9, XMM10 = 10, XMM11 = 11, XMM12 = 12, XMM13 = 13, XMM14 = 14, XMM15 = 15,
}

/// Width of an integer operation on registers. A 32-bit one clears the upper half of its destination.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Width {
    W32 = 0,
    W64 = 1,
}

/// Size of an access to memory where all four exist.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Size {
    S8,
    S16,
    S32,
    S64,
}

/// What an index register is multiplied by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Scale {
    X1 = 0,
    X2 = 1,
    X4 = 2,
    X8 = 3,
}

/// The eight operations of the classic arithmetic group, by their number in the encoding.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Alu {
    Add = 0,
    Or = 1,
    Adc = 2,
    Sbb = 3,
    And = 4,
    Sub = 5,
    Xor = 6,
    Cmp = 7,
}

/// Shifts and rotations, by their number in the encoding.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Shift {
    Rol = 0,
    Ror = 1,
    Shl = 4,
    Shr = 5,
    Sar = 7,
}

/// A condition on the flags, by its number in the encoding.
///
/// `B`/`A` (below, above) are unsigned and what `ucomisd` sets, `L`/`G` (less, greater) signed, `P` is "unordered".
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Cond {
    O = 0,
    No = 1,
    B = 2,
    Ae = 3,
    E = 4,
    Ne = 5,
    Be = 6,
    A = 7,
    S = 8,
    Ns = 9,
    P = 10,
    Np = 11,
    L = 12,
    Ge = 13,
    Le = 14,
    G = 15,
}

impl Cond {
    /// All of them, in the order of their numbers.
    pub(crate) const ALL: [Cond; 16] = [
        Cond::O,
        Cond::No,
        Cond::B,
        Cond::Ae,
        Cond::E,
        Cond::Ne,
        Cond::Be,
        Cond::A,
        Cond::S,
        Cond::Ns,
        Cond::P,
        Cond::Np,
        Cond::L,
        Cond::Ge,
        Cond::Le,
        Cond::G,
    ];

    /// The condition that holds where this one does not.
    #[inline]
    pub(crate) const fn invert(self) -> Cond {
        Cond::ALL[(self as usize) ^ 1]
    }

    /// The condition for swapped operands of the comparison: `a < b` becomes `b > a`.
    #[inline]
    pub(crate) const fn swap(self) -> Cond {
        match self {
            Cond::B => Cond::A,
            Cond::A => Cond::B,
            Cond::Ae => Cond::Be,
            Cond::Be => Cond::Ae,
            Cond::L => Cond::G,
            Cond::G => Cond::L,
            Cond::Ge => Cond::Le,
            Cond::Le => Cond::Ge,
            Cond::O | Cond::No | Cond::E | Cond::Ne | Cond::S | Cond::Ns | Cond::P | Cond::Np => self,
        }
    }
}

/// A memory operand: `[base + index * scale + disp]`, or a place in the code itself.
///
/// It is kept as it is encoded, and in one word so that it travels in a register: ModRM but for `reg` (bits 0 to 7), SIB
/// (8 to 15), REX.X and REX.B (16 and 17), whether there is a SIB (18), bytes of displacement (19 to 21), whether it is a
/// place in the code (22), displacement or the number of a label (32 to 63).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Mem(u64);

impl Mem {
    /// In ModRM "a SIB follows"; in SIB "no index".
    const SPECIAL: u8 = 4;
    const RIP: u64 = 1 << 22;

    /// `[base + disp]`.
    #[inline]
    pub(crate) const fn base(base: Gpr, disp: i32) -> Mem {
        let low = base.0 & 7;
        let sib = Mem::SPECIAL << 3 | low;
        Mem::pack(low, sib, (base.0 >> 3) & 1, low == Mem::SPECIAL, disp)
    }

    /// `[base + index * scale + disp]`. `rsp` cannot be an index.
    #[inline]
    pub(crate) const fn indexed(base: Gpr, index: Gpr, scale: Scale, disp: i32) -> Mem {
        debug_assert!(index.0 != Mem::SPECIAL);
        let low = base.0 & 7;
        let sib = (scale as u8) << 6 | (index.0 & 7) << 3 | low;
        Mem::pack(low, sib, (index.0 >> 3) << 1 | (base.0 >> 3), true, disp)
    }

    /// A constant, a jump table or a label of the code that is being written.
    #[inline]
    pub(crate) const fn rip(label: RipLabel) -> Mem {
        Mem(5 | 4 << 19 | Mem::RIP | (label.number() as u64) << 32)
    }

    #[inline(always)]
    const fn pack(base: u8, sib: u8, xb: u8, has_sib: bool, disp: i32) -> Mem {
        // Without displacement, a base of 5 means something else.
        let (mode, disp_len) = if disp == 0 && base != 5 {
            (0, 0)
        } else if disp as i8 as i32 == disp {
            (1, 1)
        } else {
            (2, 4)
        };
        let rm = if has_sib { Mem::SPECIAL } else { base };
        let modrm_sib = mode << 6 | rm as u64 | (sib as u64) << 8;
        let lengths = (has_sib as u64) << 18 | disp_len << 19;
        Mem(modrm_sib | (xb as u64) << 16 | lengths | (disp.cast_unsigned() as u64) << 32)
    }

    #[inline(always)]
    pub(super) const fn is_rip(self) -> bool {
        self.0 & Mem::RIP != 0
    }

    /// ModRM with nothing in `reg`, and SIB behind it, which is of no meaning if `len` is 1.
    #[inline(always)]
    pub(super) const fn modrm_sib(self) -> u64 {
        self.0 & 0xffff
    }

    /// Bytes of ModRM and SIB.
    #[inline(always)]
    pub(super) const fn len(self) -> u32 {
        1 + (self.0 >> 18 & 1) as u32
    }

    /// REX.X in bit 1, REX.B in bit 0.
    #[inline(always)]
    pub(super) const fn xb(self) -> u8 {
        (self.0 >> 16 & 3) as u8
    }

    /// Bytes of displacement.
    #[inline(always)]
    pub(super) const fn disp_len(self) -> u32 {
        (self.0 >> 19 & 7) as u32
    }

    /// The displacement; of a place in the code the number of its label.
    #[inline(always)]
    pub(crate) const fn disp(self) -> i32 {
        (self.0 >> 32) as u32 as i32
    }

    /// The operand `delta` bytes further; `None` if the displacement does not hold it or this is a place in the code.
    #[inline]
    pub(crate) const fn offset(self, delta: i32) -> Option<Mem> {
        if self.is_rip() {
            return None;
        }
        match self.disp().checked_add(delta) {
            Some(disp) => {
                let (sib, has_sib) = ((self.0 >> 8) as u8, self.len() == 2);
                let base = if has_sib { sib & 7 } else { self.0 as u8 & 7 };
                Some(Mem::pack(base, sib, self.xb(), has_sib, disp))
            }
            None => None,
        }
    }
}
