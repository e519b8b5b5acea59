//! Moves, arithmetic, extension, multiplication and division on general purpose registers.

use super::buffer::Assembler;
use super::encode::{Fields, Opcode, sized};
use super::operand::{Alu, Cond, Gpr, Mem, Size, Width};

/// Bytes of the immediate of an instruction on this size.
#[inline]
const fn imm_len(size: Size) -> u8 {
    match size {
        Size::S8 => 1,
        Size::S16 => 2,
        Size::S32 | Size::S64 => 4,
    }
}

#[inline(always)]
const fn is_i8(value: i32) -> bool {
    value as i8 as i32 == value
}

/// Moves.
impl Assembler {
    /// `mov dst, src`. With 32 bits, clears the upper half.
    #[inline]
    pub(crate) fn mov_rr(&mut self, width: Width, dst: Gpr, src: Gpr) {
        self.reg_form(Opcode::one(0x89), Fields::new(src.number(), width), dst.number());
    }

    /// `mov dst, imm` in the shortest of its three encodings (5, 7 or 10 bytes). Leaves the flags alone.
    #[inline]
    pub(crate) fn mov_ri(&mut self, dst: Gpr, value: u64) {
        if u32::try_from(value).is_ok() {
            let b = dst.number() >> 3;
            let opcode = u64::from(0xb8 | dst.number() & 7);
            let head = if b != 0 { opcode << 8 | 0x41 } else { opcode };
            let len = 1 + u32::from(b);
            self.put_short(head | value << (8 * len), len + 4);
        } else {
            self.mov_ri_wide(dst, value);
        }
    }

    #[inline(never)]
    fn mov_ri_wide(&mut self, dst: Gpr, value: u64) {
        if let Ok(value) = i32::try_from(value.cast_signed()) {
            self.reg_form(Opcode::one(0xc7), Fields::new(0, Width::W64).imm(value, 4), dst.number());
        } else {
            let opcode = u64::from(0xb8 | dst.number() & 7);
            self.put(opcode << 8 | u64::from(0x48 | dst.number() >> 3), 2, value, 8);
        }
    }

    /// `mov dst, [src]`.
    #[inline]
    pub(crate) fn mov_rm(&mut self, width: Width, dst: Gpr, src: Mem) {
        self.mem_form(Opcode::one(0x8b), Fields::new(dst.number(), width), src);
    }

    /// `mov [dst], src`.
    #[inline]
    pub(crate) fn mov_mr(&mut self, width: Width, dst: Mem, src: Gpr) {
        self.mem_form(Opcode::one(0x89), Fields::new(src.number(), width), dst);
    }

    /// `mov byte [dst], src`.
    #[inline]
    pub(crate) fn mov_mr8(&mut self, dst: Mem, src: Gpr) {
        self.mem_form(Opcode::one(0x88), Fields::new(src.number(), Width::W32).byte(src.number()), dst);
    }

    /// `mov word [dst], src`.
    #[inline]
    pub(crate) fn mov_mr16(&mut self, dst: Mem, src: Gpr) {
        self.mem_form(Opcode::one(0x89).prefix(0x66), Fields::new(src.number(), Width::W32), dst);
    }

    /// `mov [dst], src` of any size.
    #[inline]
    pub(crate) fn mov_mr_sized(&mut self, size: Size, dst: Mem, src: Gpr) {
        let fields = Fields::new(src.number(), Width::W32);
        self.sized_mem_form(Opcode::one(0x88), size, fields, dst, src.number());
    }

    /// `mov [dst], imm` of any size. The low bits of `imm` are stored, extended by its sign for 64 bits.
    #[inline]
    pub(crate) fn mov_mi(&mut self, size: Size, dst: Mem, imm: i32) {
        self.sized_mem_form(Opcode::one(0xc6), size, Fields::new(0, Width::W32).imm(imm, imm_len(size)), dst, 0);
    }

    /// `lea dst, [src]`.
    #[inline]
    pub(crate) fn lea(&mut self, width: Width, dst: Gpr, src: Mem) {
        self.mem_form(Opcode::one(0x8d), Fields::new(dst.number(), width), src);
    }

    /// `xchg a, b`.
    #[inline]
    pub(crate) fn xchg_rr(&mut self, width: Width, a: Gpr, b: Gpr) {
        self.reg_form(Opcode::one(0x87), Fields::new(b.number(), width), a.number());
    }

    /// `cmovcc dst, src`. With 32 bits, clears the upper half of `dst` even if it does not move.
    #[inline]
    pub(crate) fn cmov_rr(&mut self, cond: Cond, width: Width, dst: Gpr, src: Gpr) {
        self.reg_form(Opcode::two(0x40 | cond as u8), Fields::new(dst.number(), width), src.number());
    }

    /// `cmovcc dst, [src]`. Reads memory in any case.
    #[inline]
    pub(crate) fn cmov_rm(&mut self, cond: Cond, width: Width, dst: Gpr, src: Mem) {
        self.mem_form(Opcode::two(0x40 | cond as u8), Fields::new(dst.number(), width), src);
    }

    /// `setcc dst`: the lowest byte becomes 0 or 1, the others stay.
    #[inline]
    pub(crate) fn setcc(&mut self, cond: Cond, dst: Gpr) {
        let fields = Fields::new(0, Width::W32).byte(dst.number());
        self.reg_form(Opcode::two(0x90 | cond as u8), fields, dst.number());
    }

    /// `setcc byte [dst]`.
    #[inline]
    pub(crate) fn setcc_m(&mut self, cond: Cond, dst: Mem) {
        self.mem_form(Opcode::two(0x90 | cond as u8), Fields::new(0, Width::W32), dst);
    }
}

/// Extension by zeros or by the sign. By zeros to 32 bits is to 64 bits too.
impl Assembler {
    /// `movzx dst, src8`.
    #[inline]
    pub(crate) fn movzx8_rr(&mut self, dst: Gpr, src: Gpr) {
        let fields = Fields::new(dst.number(), Width::W32).byte(src.number());
        self.reg_form(Opcode::two(0xb6), fields, src.number());
    }

    /// `movzx dst, src16`.
    #[inline]
    pub(crate) fn movzx16_rr(&mut self, dst: Gpr, src: Gpr) {
        self.reg_form(Opcode::two(0xb7), Fields::new(dst.number(), Width::W32), src.number());
    }

    /// `movzx dst, byte [src]`.
    #[inline]
    pub(crate) fn movzx8_rm(&mut self, dst: Gpr, src: Mem) {
        self.mem_form(Opcode::two(0xb6), Fields::new(dst.number(), Width::W32), src);
    }

    /// `movzx dst, word [src]`.
    #[inline]
    pub(crate) fn movzx16_rm(&mut self, dst: Gpr, src: Mem) {
        self.mem_form(Opcode::two(0xb7), Fields::new(dst.number(), Width::W32), src);
    }

    /// `movsx dst, src8`.
    #[inline]
    pub(crate) fn movsx8_rr(&mut self, width: Width, dst: Gpr, src: Gpr) {
        self.reg_form(Opcode::two(0xbe), Fields::new(dst.number(), width).byte(src.number()), src.number());
    }

    /// `movsx dst, src16`.
    #[inline]
    pub(crate) fn movsx16_rr(&mut self, width: Width, dst: Gpr, src: Gpr) {
        self.reg_form(Opcode::two(0xbf), Fields::new(dst.number(), width), src.number());
    }

    /// `movsx dst, byte [src]`.
    #[inline]
    pub(crate) fn movsx8_rm(&mut self, width: Width, dst: Gpr, src: Mem) {
        self.mem_form(Opcode::two(0xbe), Fields::new(dst.number(), width), src);
    }

    /// `movsx dst, word [src]`.
    #[inline]
    pub(crate) fn movsx16_rm(&mut self, width: Width, dst: Gpr, src: Mem) {
        self.mem_form(Opcode::two(0xbf), Fields::new(dst.number(), width), src);
    }

    /// `movsxd dst64, src32`.
    #[inline]
    pub(crate) fn movsxd_rr(&mut self, dst: Gpr, src: Gpr) {
        self.reg_form(Opcode::one(0x63), Fields::new(dst.number(), Width::W64), src.number());
    }

    /// `movsxd dst64, dword [src]`.
    #[inline]
    pub(crate) fn movsxd_rm(&mut self, dst: Gpr, src: Mem) {
        self.mem_form(Opcode::one(0x63), Fields::new(dst.number(), Width::W64), src);
    }

    /// `cdq` or `cqo`: `rdx` becomes the sign of `rax`.
    #[inline]
    pub(crate) fn cdq(&mut self, width: Width) {
        match width {
            Width::W32 => self.put_short(0x99, 1),
            Width::W64 => self.put_short(0x9948, 2),
        }
    }
}

/// Arithmetic of two operands.
impl Assembler {
    /// `op dst, src`.
    #[inline]
    pub(crate) fn alu_rr(&mut self, op: Alu, width: Width, dst: Gpr, src: Gpr) {
        self.reg_form(Opcode::one((op as u8) << 3 | 1), Fields::new(src.number(), width), dst.number());
    }

    /// `op dst, imm`, extended by its sign for 64 bits.
    #[inline]
    pub(crate) fn alu_ri(&mut self, op: Alu, width: Width, dst: Gpr, imm: i32) {
        let (opcode, len) = if is_i8(imm) { (0x83, 1) } else { (0x81, 4) };
        self.reg_form(Opcode::one(opcode), Fields::new(op as u8, width).imm(imm, len), dst.number());
    }

    /// `op dst, imm` with four bytes of immediate whatever its value, to be patched later; gives the immediate's
    /// position.
    #[inline]
    pub(crate) fn alu_ri32(&mut self, op: Alu, width: Width, dst: Gpr, imm: i32) -> u32 {
        self.reg_form(Opcode::one(0x81), Fields::new(op as u8, width).imm(imm, 4), dst.number());
        self.position().saturating_sub(4)
    }

    /// `op dst, [src]`.
    #[inline]
    pub(crate) fn alu_rm(&mut self, op: Alu, width: Width, dst: Gpr, src: Mem) {
        self.mem_form(Opcode::one((op as u8) << 3 | 3), Fields::new(dst.number(), width), src);
    }

    /// `op [dst], src`.
    #[inline]
    pub(crate) fn alu_mr(&mut self, op: Alu, width: Width, dst: Mem, src: Gpr) {
        self.mem_form(Opcode::one((op as u8) << 3 | 1), Fields::new(src.number(), width), dst);
    }

    /// `op [dst], imm`, extended by its sign for 64 bits.
    #[inline]
    pub(crate) fn alu_mi(&mut self, op: Alu, width: Width, dst: Mem, imm: i32) {
        let (opcode, len) = if is_i8(imm) { (0x83, 1) } else { (0x81, 4) };
        self.mem_form(Opcode::one(opcode), Fields::new(op as u8, width).imm(imm, len), dst);
    }

    /// `op byte [dst], imm`.
    #[inline]
    pub(crate) fn alu_mi8(&mut self, op: Alu, dst: Mem, imm: i8) {
        self.mem_form(Opcode::one(0x80), Fields::new(op as u8, Width::W32).imm(imm.into(), 1), dst);
    }

    /// `test a, b`.
    #[inline]
    pub(crate) fn test_rr(&mut self, width: Width, a: Gpr, b: Gpr) {
        self.reg_form(Opcode::one(0x85), Fields::new(b.number(), width), a.number());
    }

    /// `test a, imm`, extended by its sign for 64 bits. One of the low seven bits is tested as a byte, which sets all
    /// flags alike.
    #[inline]
    pub(crate) fn test_ri(&mut self, width: Width, a: Gpr, imm: i32) {
        if (0..0x80).contains(&imm) {
            let fields = Fields::new(0, Width::W32).byte(a.number()).imm(imm, 1);
            self.reg_form(Opcode::one(0xf6), fields, a.number());
        } else {
            self.reg_form(Opcode::one(0xf7), Fields::new(0, width).imm(imm, 4), a.number());
        }
    }

    /// `test [a], b`.
    #[inline]
    pub(crate) fn test_mr(&mut self, width: Width, a: Mem, b: Gpr) {
        self.mem_form(Opcode::one(0x85), Fields::new(b.number(), width), a);
    }

    /// `test [a], imm` of any size.
    #[inline]
    pub(crate) fn test_mi(&mut self, size: Size, a: Mem, imm: i32) {
        self.sized_mem_form(Opcode::one(0xf6), size, Fields::new(0, Width::W32).imm(imm, imm_len(size)), a, 0);
    }
}

/// Arithmetic of one operand, multiplication and division.
impl Assembler {
    /// `neg dst`.
    #[inline]
    pub(crate) fn neg(&mut self, width: Width, dst: Gpr) {
        self.reg_form(Opcode::one(0xf7), Fields::new(3, width), dst.number());
    }

    /// `not dst`.
    #[inline]
    pub(crate) fn not(&mut self, width: Width, dst: Gpr) {
        self.reg_form(Opcode::one(0xf7), Fields::new(2, width), dst.number());
    }

    /// `inc dst`.
    #[inline]
    pub(crate) fn inc(&mut self, width: Width, dst: Gpr) {
        self.reg_form(Opcode::one(0xff), Fields::new(0, width), dst.number());
    }

    /// `dec dst`.
    #[inline]
    pub(crate) fn dec(&mut self, width: Width, dst: Gpr) {
        self.reg_form(Opcode::one(0xff), Fields::new(1, width), dst.number());
    }

    /// `inc [dst]`.
    #[inline]
    pub(crate) fn inc_m(&mut self, size: Size, dst: Mem) {
        self.sized_mem_form(Opcode::one(0xfe), size, Fields::new(0, Width::W32), dst, 0);
    }

    /// `dec [dst]`.
    #[inline]
    pub(crate) fn dec_m(&mut self, size: Size, dst: Mem) {
        self.sized_mem_form(Opcode::one(0xfe), size, Fields::new(1, Width::W32), dst, 0);
    }

    /// `imul dst, src`.
    #[inline]
    pub(crate) fn imul_rr(&mut self, width: Width, dst: Gpr, src: Gpr) {
        self.reg_form(Opcode::two(0xaf), Fields::new(dst.number(), width), src.number());
    }

    /// `imul dst, [src]`.
    #[inline]
    pub(crate) fn imul_rm(&mut self, width: Width, dst: Gpr, src: Mem) {
        self.mem_form(Opcode::two(0xaf), Fields::new(dst.number(), width), src);
    }

    /// `imul dst, src, imm`.
    #[inline]
    pub(crate) fn imul_rri(&mut self, width: Width, dst: Gpr, src: Gpr, imm: i32) {
        let (opcode, len) = if is_i8(imm) { (0x6b, 1) } else { (0x69, 4) };
        self.reg_form(Opcode::one(opcode), Fields::new(dst.number(), width).imm(imm, len), src.number());
    }

    /// `imul dst, [src], imm`.
    #[inline]
    pub(crate) fn imul_rmi(&mut self, width: Width, dst: Gpr, src: Mem, imm: i32) {
        let (opcode, len) = if is_i8(imm) { (0x6b, 1) } else { (0x69, 4) };
        self.mem_form(Opcode::one(opcode), Fields::new(dst.number(), width).imm(imm, len), src);
    }

    /// `mul src`: `rdx:rax = rax * src`, unsigned.
    #[inline]
    pub(crate) fn mul(&mut self, width: Width, src: Gpr) {
        self.reg_form(Opcode::one(0xf7), Fields::new(4, width), src.number());
    }

    /// `imul src`: `rdx:rax = rax * src`, signed.
    #[inline]
    pub(crate) fn imul(&mut self, width: Width, src: Gpr) {
        self.reg_form(Opcode::one(0xf7), Fields::new(5, width), src.number());
    }

    /// `div src`: `rax, rdx = rdx:rax / src, rdx:rax % src`, unsigned.
    #[inline]
    pub(crate) fn div(&mut self, width: Width, src: Gpr) {
        self.reg_form(Opcode::one(0xf7), Fields::new(6, width), src.number());
    }

    /// `idiv src`: as `div`, signed.
    #[inline]
    pub(crate) fn idiv(&mut self, width: Width, src: Gpr) {
        self.reg_form(Opcode::one(0xf7), Fields::new(7, width), src.number());
    }

    /// `bswap dst`.
    #[inline]
    pub(crate) fn bswap(&mut self, width: Width, dst: Gpr) {
        let rex = 0x40 | (width as u8) << 3 | dst.number() >> 3;
        let bytes = 0x0f | u64::from(0xc8 | dst.number() & 7) << 8;
        if rex == 0x40 { self.put_short(bytes, 2) } else { self.put_short(bytes << 8 | u64::from(rex), 3) }
    }
}
