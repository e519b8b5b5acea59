//! The table of vector instructions. A row gives prefix, opcode map (1: `0f`, 2: `0f 38`, 3: `0f 3a`), opcode and, if set,
//! W. Its shape says which operands it takes, and so which methods of the assembler to use it with.

use super::encode::Opcode;

/// A vector instruction, for [`sse_rr`](super::Assembler::sse_rr) and the like (legacy form) and
/// [`vex_rrr`](super::Assembler::vex_rrr) and the like (VEX form).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct SseOp {
    /// The fields of its [`Opcode`], flat, so that a row is one word.
    code: u32,
    len: u8,
    prefix: u8,
    /// The opcode map as VEX has it.
    map: u8,
    /// VEX.W in bit 7, the prefix as VEX has it in the lowest two.
    vex: u8,
}

impl SseOp {
    pub(super) const fn new(prefix: u8, map: u8, byte: u8) -> SseOp {
        let opcode = match map {
            1 => Opcode::two(byte),
            2 => Opcode::three(0x38, byte),
            _ => Opcode::three(0x3a, byte),
        };
        let pp = match prefix {
            0x66 => 1,
            0xf3 => 2,
            0xf2 => 3,
            _ => 0,
        };
        SseOp { code: opcode.code, len: opcode.len, prefix, map, vex: pp }
    }

    const fn w(self, w: u8) -> SseOp {
        SseOp { vex: self.vex | w << 7, ..self }
    }

    #[inline(always)]
    pub(super) const fn opcode(self) -> Opcode {
        Opcode { code: self.code, len: self.len, prefix: self.prefix }
    }

    #[inline(always)]
    pub(super) const fn opcode_byte(self) -> u8 {
        (self.code >> (8 * (self.len - 1))) as u8
    }

    #[inline(always)]
    pub(super) const fn map(self) -> u8 {
        self.map
    }

    #[inline(always)]
    pub(super) const fn pp(self) -> u8 {
        self.vex & 3
    }

    #[inline(always)]
    pub(super) const fn vex_w(self) -> u8 {
        self.vex >> 7
    }
}

/// What operands a row takes.
#[cfg(test)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Shape {
    Binary,
    BinaryImm,
    Unary,
    UnaryImm,
    Merge,
    HalfLoad,
    HalfMove,
    Store,
    FromGpr,
    ToGpr,
    Mask,
    Insert,
    Extract,
    Blend,
    VexBlend,
    VexUnary,
    VexBinary,
}

macro_rules! rows {
    ($($shape:ident { $($name:ident = $prefix:literal $map:literal $byte:literal $(w $w:literal)?,)* })*) => {
        impl SseOp {
            $($(pub(crate) const $name: SseOp = SseOp::new($prefix, $map, $byte)$(.w($w))?;)*)*
        }

        /// All rows with their names.
        #[cfg(test)]
        pub(super) const ROWS: &[(&str, SseOp, Shape)] =
            &[$($((stringify!($name), SseOp::$name, Shape::$shape),)*)*];
    };
}

rows! {
    // Float arithmetic: `dst = dst op src`, or `dst = a op b`.
    Binary {
        ADDPS = 0x00 1 0x58,
        ADDPD = 0x66 1 0x58,
        ADDSS = 0xf3 1 0x58,
        ADDSD = 0xf2 1 0x58,
        MULPS = 0x00 1 0x59,
        MULPD = 0x66 1 0x59,
        MULSS = 0xf3 1 0x59,
        MULSD = 0xf2 1 0x59,
        SUBPS = 0x00 1 0x5c,
        SUBPD = 0x66 1 0x5c,
        SUBSS = 0xf3 1 0x5c,
        SUBSD = 0xf2 1 0x5c,
        MINPS = 0x00 1 0x5d,
        MINPD = 0x66 1 0x5d,
        MINSS = 0xf3 1 0x5d,
        MINSD = 0xf2 1 0x5d,
        DIVPS = 0x00 1 0x5e,
        DIVPD = 0x66 1 0x5e,
        DIVSS = 0xf3 1 0x5e,
        DIVSD = 0xf2 1 0x5e,
        MAXPS = 0x00 1 0x5f,
        MAXPD = 0x66 1 0x5f,
        MAXSS = 0xf3 1 0x5f,
        MAXSD = 0xf2 1 0x5f,
        SQRTSS = 0xf3 1 0x51,
        SQRTSD = 0xf2 1 0x51,
        ANDPS = 0x00 1 0x54,
        ANDPD = 0x66 1 0x54,
        ANDNPS = 0x00 1 0x55,
        ANDNPD = 0x66 1 0x55,
        ORPS = 0x00 1 0x56,
        ORPD = 0x66 1 0x56,
        XORPS = 0x00 1 0x57,
        XORPD = 0x66 1 0x57,
        UNPCKLPS = 0x00 1 0x14,
        UNPCKLPD = 0x66 1 0x14,
        UNPCKHPS = 0x00 1 0x15,
        UNPCKHPD = 0x66 1 0x15,
        HADDPS = 0xf2 1 0x7c,
        HADDPD = 0x66 1 0x7c,
        CVTSS2SD = 0xf3 1 0x5a,
        CVTSD2SS = 0xf2 1 0x5a,
    }
    // Integer arithmetic.
    Binary {
        PUNPCKLBW = 0x66 1 0x60,
        PUNPCKLWD = 0x66 1 0x61,
        PUNPCKLDQ = 0x66 1 0x62,
        PUNPCKLQDQ = 0x66 1 0x6c,
        PUNPCKHBW = 0x66 1 0x68,
        PUNPCKHWD = 0x66 1 0x69,
        PUNPCKHDQ = 0x66 1 0x6a,
        PUNPCKHQDQ = 0x66 1 0x6d,
        PACKSSWB = 0x66 1 0x63,
        PACKSSDW = 0x66 1 0x6b,
        PACKUSWB = 0x66 1 0x67,
        PCMPEQB = 0x66 1 0x74,
        PCMPEQW = 0x66 1 0x75,
        PCMPEQD = 0x66 1 0x76,
        PCMPGTB = 0x66 1 0x64,
        PCMPGTW = 0x66 1 0x65,
        PCMPGTD = 0x66 1 0x66,
        PADDB = 0x66 1 0xfc,
        PADDW = 0x66 1 0xfd,
        PADDD = 0x66 1 0xfe,
        PADDQ = 0x66 1 0xd4,
        PSUBB = 0x66 1 0xf8,
        PSUBW = 0x66 1 0xf9,
        PSUBD = 0x66 1 0xfa,
        PSUBQ = 0x66 1 0xfb,
        PADDSB = 0x66 1 0xec,
        PADDSW = 0x66 1 0xed,
        PADDUSB = 0x66 1 0xdc,
        PADDUSW = 0x66 1 0xdd,
        PSUBSB = 0x66 1 0xe8,
        PSUBSW = 0x66 1 0xe9,
        PSUBUSB = 0x66 1 0xd8,
        PSUBUSW = 0x66 1 0xd9,
        PMULLW = 0x66 1 0xd5,
        PMULHW = 0x66 1 0xe5,
        PMULHUW = 0x66 1 0xe4,
        PMULUDQ = 0x66 1 0xf4,
        PMADDWD = 0x66 1 0xf5,
        PSADBW = 0x66 1 0xf6,
        PMINUB = 0x66 1 0xda,
        PMINSW = 0x66 1 0xea,
        PMAXUB = 0x66 1 0xde,
        PMAXSW = 0x66 1 0xee,
        PAVGB = 0x66 1 0xe0,
        PAVGW = 0x66 1 0xe3,
        PAND = 0x66 1 0xdb,
        PANDN = 0x66 1 0xdf,
        POR = 0x66 1 0xeb,
        PXOR = 0x66 1 0xef,
        PSRLW = 0x66 1 0xd1,
        PSRLD = 0x66 1 0xd2,
        PSRLQ = 0x66 1 0xd3,
        PSRAW = 0x66 1 0xe1,
        PSRAD = 0x66 1 0xe2,
        PSLLW = 0x66 1 0xf1,
        PSLLD = 0x66 1 0xf2,
        PSLLQ = 0x66 1 0xf3,
        PACKUSDW = 0x66 2 0x2b,
        PCMPEQQ = 0x66 2 0x29,
        PCMPGTQ = 0x66 2 0x37,
        PMULLD = 0x66 2 0x40,
        PMULDQ = 0x66 2 0x28,
        PMADDUBSW = 0x66 2 0x04,
        PMULHRSW = 0x66 2 0x0b,
        PMINSB = 0x66 2 0x38,
        PMINSD = 0x66 2 0x39,
        PMINUW = 0x66 2 0x3a,
        PMINUD = 0x66 2 0x3b,
        PMAXSB = 0x66 2 0x3c,
        PMAXSD = 0x66 2 0x3d,
        PMAXUW = 0x66 2 0x3e,
        PMAXUD = 0x66 2 0x3f,
        PHADDW = 0x66 2 0x01,
        PHADDD = 0x66 2 0x02,
        PSHUFB = 0x66 2 0x00,
    }
    // Two sources and an immediate.
    BinaryImm {
        CMPPS = 0x00 1 0xc2,
        CMPPD = 0x66 1 0xc2,
        CMPSS = 0xf3 1 0xc2,
        CMPSD = 0xf2 1 0xc2,
        SHUFPS = 0x00 1 0xc6,
        SHUFPD = 0x66 1 0xc6,
        ROUNDSS = 0x66 3 0x0a,
        ROUNDSD = 0x66 3 0x0b,
        BLENDPS = 0x66 3 0x0c,
        BLENDPD = 0x66 3 0x0d,
        PBLENDW = 0x66 3 0x0e,
        PALIGNR = 0x66 3 0x0f,
        INSERTPS = 0x66 3 0x21,
    }
    // One source.
    Unary {
        SQRTPS = 0x00 1 0x51,
        SQRTPD = 0x66 1 0x51,
        UCOMISS = 0x00 1 0x2e,
        UCOMISD = 0x66 1 0x2e,
        CVTPS2PD = 0x00 1 0x5a,
        CVTPD2PS = 0x66 1 0x5a,
        CVTDQ2PS = 0x00 1 0x5b,
        CVTPS2DQ = 0x66 1 0x5b,
        CVTTPS2DQ = 0xf3 1 0x5b,
        CVTDQ2PD = 0xf3 1 0xe6,
        CVTPD2DQ = 0xf2 1 0xe6,
        CVTTPD2DQ = 0x66 1 0xe6,
        MOVAPS = 0x00 1 0x28,
        MOVAPD = 0x66 1 0x28,
        MOVUPS = 0x00 1 0x10,
        MOVUPD = 0x66 1 0x10,
        MOVDQA = 0x66 1 0x6f,
        MOVDQU = 0xf3 1 0x6f,
        MOVQ = 0xf3 1 0x7e,
        MOVDDUP = 0xf2 1 0x12,
        MOVSLDUP = 0xf3 1 0x12,
        MOVSHDUP = 0xf3 1 0x16,
        PABSB = 0x66 2 0x1c,
        PABSW = 0x66 2 0x1d,
        PABSD = 0x66 2 0x1e,
        PMOVSXBW = 0x66 2 0x20,
        PMOVSXBD = 0x66 2 0x21,
        PMOVSXBQ = 0x66 2 0x22,
        PMOVSXWD = 0x66 2 0x23,
        PMOVSXWQ = 0x66 2 0x24,
        PMOVSXDQ = 0x66 2 0x25,
        PMOVZXBW = 0x66 2 0x30,
        PMOVZXBD = 0x66 2 0x31,
        PMOVZXBQ = 0x66 2 0x32,
        PMOVZXWD = 0x66 2 0x33,
        PMOVZXWQ = 0x66 2 0x34,
        PMOVZXDQ = 0x66 2 0x35,
        PTEST = 0x66 2 0x17,
    }
    // One source and an immediate.
    UnaryImm {
        ROUNDPS = 0x66 3 0x08,
        ROUNDPD = 0x66 3 0x09,
        PSHUFD = 0x66 1 0x70,
        PSHUFHW = 0xf3 1 0x70,
        PSHUFLW = 0xf2 1 0x70,
    }
    // From memory a load that clears the rest of the register; between registers only the lowest lane moves.
    Merge {
        MOVSS = 0xf3 1 0x10,
        MOVSD = 0xf2 1 0x10,
    }
    // Loads of one half; the other stays, or comes from the first source.
    HalfLoad {
        MOVLPS = 0x00 1 0x12,
        MOVLPD = 0x66 1 0x12,
        MOVHPS = 0x00 1 0x16,
        MOVHPD = 0x66 1 0x16,
    }
    // One half moves to the other, between registers only.
    HalfMove {
        MOVHLPS = 0x00 1 0x12,
        MOVLHPS = 0x00 1 0x16,
    }
    // To memory.
    Store {
        MOVAPS_STORE = 0x00 1 0x29,
        MOVAPD_STORE = 0x66 1 0x29,
        MOVUPS_STORE = 0x00 1 0x11,
        MOVUPD_STORE = 0x66 1 0x11,
        MOVSS_STORE = 0xf3 1 0x11,
        MOVSD_STORE = 0xf2 1 0x11,
        MOVDQA_STORE = 0x66 1 0x7f,
        MOVDQU_STORE = 0xf3 1 0x7f,
        MOVQ_STORE = 0x66 1 0xd6,
        MOVLPS_STORE = 0x00 1 0x13,
        MOVHPS_STORE = 0x00 1 0x17,
    }
    // From a general purpose register or memory of 32 or 64 bits; the rest of the register stays (of the first source).
    FromGpr {
        CVTSI2SS = 0xf3 1 0x2a,
        CVTSI2SD = 0xf2 1 0x2a,
    }
    // To a general purpose register of 32 or 64 bits.
    ToGpr {
        CVTTSS2SI = 0xf3 1 0x2c,
        CVTTSD2SI = 0xf2 1 0x2c,
        CVTSS2SI = 0xf3 1 0x2d,
        CVTSD2SI = 0xf2 1 0x2d,
    }
    // The signs of the lanes, to a general purpose register.
    Mask {
        MOVMSKPS = 0x00 1 0x50,
        MOVMSKPD = 0x66 1 0x50,
        PMOVMSKB = 0x66 1 0xd7,
    }
    // From a general purpose register or memory into a lane; `PINSRD` with 64 bits is `pinsrq`.
    Insert {
        PINSRB = 0x66 3 0x20,
        PINSRW = 0x66 1 0xc4,
        PINSRD = 0x66 3 0x22,
    }
    // From a lane to a general purpose register or memory; `PEXTRD` with 64 bits is `pextrq`.
    Extract {
        PEXTRB = 0x66 3 0x14,
        PEXTRW = 0x66 3 0x15,
        PEXTRD = 0x66 3 0x16,
        EXTRACTPS = 0x66 3 0x17,
    }
    // By the signs of `xmm0`. Legacy form only.
    Blend {
        PBLENDVB = 0x66 2 0x10,
        BLENDVPS = 0x66 2 0x14,
        BLENDVPD = 0x66 2 0x15,
    }
    // By the signs of a fourth register. VEX form only (AVX).
    VexBlend {
        VPBLENDVB = 0x66 3 0x4c,
        VBLENDVPS = 0x66 3 0x4a,
        VBLENDVPD = 0x66 3 0x4b,
    }
    // One lane to all. VEX form only (AVX2; `VBROADCASTSS` from memory AVX).
    VexUnary {
        VPBROADCASTB = 0x66 2 0x78,
        VPBROADCASTW = 0x66 2 0x79,
        VPBROADCASTD = 0x66 2 0x58,
        VPBROADCASTQ = 0x66 2 0x59,
        VBROADCASTSS = 0x66 2 0x18,
    }
    // Lanes shifted by lanes. VEX form only (AVX2).
    VexBinary {
        VPSLLVD = 0x66 2 0x47,
        VPSRLVD = 0x66 2 0x45,
        VPSRAVD = 0x66 2 0x46,
        VPSLLVQ = 0x66 2 0x47 w 1,
        VPSRLVQ = 0x66 2 0x45 w 1,
    }
    // Fused multiply-add: `213` is `dst = a * dst + b`, `231` is `dst = a * b + dst`. VEX form only (FMA).
    VexBinary {
        VFMADD213PS = 0x66 2 0xa8,
        VFMADD213PD = 0x66 2 0xa8 w 1,
        VFMADD213SS = 0x66 2 0xa9,
        VFMADD213SD = 0x66 2 0xa9 w 1,
        VFMADD231PS = 0x66 2 0xb8,
        VFMADD231PD = 0x66 2 0xb8 w 1,
        VFMADD231SS = 0x66 2 0xb9,
        VFMADD231SD = 0x66 2 0xb9 w 1,
        VFMSUB213PS = 0x66 2 0xaa,
        VFMSUB213PD = 0x66 2 0xaa w 1,
        VFMSUB213SS = 0x66 2 0xab,
        VFMSUB213SD = 0x66 2 0xab w 1,
        VFMSUB231PS = 0x66 2 0xba,
        VFMSUB231PD = 0x66 2 0xba w 1,
        VFMSUB231SS = 0x66 2 0xbb,
        VFMSUB231SD = 0x66 2 0xbb w 1,
        VFNMADD213PS = 0x66 2 0xac,
        VFNMADD213PD = 0x66 2 0xac w 1,
        VFNMADD213SS = 0x66 2 0xad,
        VFNMADD213SD = 0x66 2 0xad w 1,
        VFNMADD231PS = 0x66 2 0xbc,
        VFNMADD231PD = 0x66 2 0xbc w 1,
        VFNMADD231SS = 0x66 2 0xbd,
        VFNMADD231SD = 0x66 2 0xbd w 1,
    }
}

/// A shift of all lanes, or of the whole register (`PSLLDQ`, `PSRLDQ`, by bytes), by an immediate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct SseShift {
    pub(super) op: SseOp,
    /// Extension of the opcode.
    pub(super) extension: u8,
}

macro_rules! shifts {
    ($($name:ident = $byte:literal $extension:literal,)*) => {
        impl SseShift {
            $(pub(crate) const $name: SseShift =
                SseShift { op: SseOp::new(0x66, 1, $byte), extension: $extension };)*
        }

        /// All shifts with their names.
        #[cfg(test)]
        pub(super) const SHIFTS: &[(&str, SseShift)] = &[$((stringify!($name), SseShift::$name),)*];
    };
}

shifts! {
    PSRLW = 0x71 2,
    PSRAW = 0x71 4,
    PSLLW = 0x71 6,
    PSRLD = 0x72 2,
    PSRAD = 0x72 4,
    PSLLD = 0x72 6,
    PSRLQ = 0x73 2,
    PSRLDQ = 0x73 3,
    PSLLQ = 0x73 6,
    PSLLDQ = 0x73 7,
}
