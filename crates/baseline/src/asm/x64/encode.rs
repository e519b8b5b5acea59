//! How an instruction is put together: opcode, REX or VEX, ModRM, SIB, displacement, immediate.
//!
//! Everything before the displacement is at most seven bytes and is built in one word; displacement and immediate are a
//! second one. With constant opcodes the compiler folds all but the register bits.

use super::buffer::Assembler;
use super::operand::{Mem, Size, Width};
use super::sse_op::SseOp;

/// An opcode with its escape bytes, and the prefix that goes before REX (0: none).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Opcode {
    /// In the order of memory, the first byte lowest.
    pub(super) code: u32,
    /// Bytes of `code`.
    pub(super) len: u8,
    pub(super) prefix: u8,
}

impl Opcode {
    #[inline]
    pub(super) const fn one(byte: u8) -> Opcode {
        Opcode { code: byte as u32, len: 1, prefix: 0 }
    }

    /// `0f byte`.
    #[inline]
    pub(super) const fn two(byte: u8) -> Opcode {
        Opcode { code: 0x0f | (byte as u32) << 8, len: 2, prefix: 0 }
    }

    /// `0f escape byte`.
    #[inline]
    pub(super) const fn three(escape: u8, byte: u8) -> Opcode {
        Opcode { code: 0x0f | (escape as u32) << 8 | (byte as u32) << 16, len: 3, prefix: 0 }
    }

    #[inline]
    pub(super) const fn prefix(self, prefix: u8) -> Opcode {
        Opcode { prefix, ..self }
    }
}

/// Fields of an instruction besides its opcode and its operand in ModRM's `rm`.
#[derive(Clone, Copy)]
pub(super) struct Fields {
    /// A register number, or an extension of the opcode.
    pub(super) reg: u8,
    /// REX.W.
    pub(super) w: u8,
    /// Write REX even if it says nothing: `spl` to `dil` need that to not be `ah` to `bh`.
    pub(super) rex: bool,
    pub(super) imm: u32,
    /// Bytes of `imm`.
    pub(super) imm_len: u8,
}

impl Fields {
    #[inline(always)]
    pub(super) const fn new(reg: u8, width: Width) -> Fields {
        Fields { reg, w: width as u8, rex: false, imm: 0, imm_len: 0 }
    }

    /// With an immediate of `len` bytes.
    #[inline(always)]
    pub(super) const fn imm(self, imm: i32, len: u8) -> Fields {
        Fields { imm: imm.cast_unsigned(), imm_len: len, ..self }
    }

    /// For a byte register in `reg` or in `rm`.
    #[inline(always)]
    pub(super) const fn byte(self, register: u8) -> Fields {
        Fields { rex: self.rex | (register >= 4), ..self }
    }
}

/// Displacement and immediate in one word.
#[inline(always)]
fn tail(mem: Mem, fields: Fields) -> u64 {
    let disp = u64::from(mem.disp().cast_unsigned());
    if fields.imm_len == 0 {
        return disp;
    }
    let bits = 8 * mem.disp_len();
    disp & ((1 << bits) - 1) | u64::from(fields.imm) << bits
}

/// Everything before the displacement, and its length.
#[inline(always)]
fn mem_head(op: Opcode, fields: Fields, mem: Mem) -> (u64, u32) {
    let modrm_sib = mem.modrm_sib() | u64::from((fields.reg & 7) << 3);
    let head = u64::from(op.code) | modrm_sib << (8 * op.len);
    let rex = fields.w << 3 | (fields.reg >> 3) << 2 | mem.xb();
    with_rex(op, head, u32::from(op.len) + mem.len(), rex, fields.rex)
}

/// The same for VEX.
#[inline(always)]
fn vex_mem_head(op: SseOp, fields: Fields, vvvv: u8, mem: Mem) -> (u64, u32) {
    let modrm_sib = mem.modrm_sib() | u64::from((fields.reg & 7) << 3);
    let (head, len) = vex_head(op, fields, vvvv, mem.xb());
    (head | modrm_sib << (8 * len), len + mem.len())
}

/// Puts REX, if needed, and the prefix, if any, in front of the opcode.
#[inline(always)]
fn with_rex(op: Opcode, mut head: u64, mut len: u32, rex: u8, force: bool) -> (u64, u32) {
    if rex != 0 || force {
        head = head << 8 | u64::from(0x40 | rex);
        len += 1;
    }
    if op.prefix != 0 {
        head = head << 8 | u64::from(op.prefix);
        len += 1;
    }
    (head, len)
}

impl Assembler {
    /// An instruction whose operand in `rm` is a register.
    #[inline(always)]
    pub(super) fn reg_form(&mut self, op: Opcode, fields: Fields, rm: u8) {
        let modrm = 0xc0 | (fields.reg & 7) << 3 | (rm & 7);
        let head = u64::from(op.code) | u64::from(modrm) << (8 * op.len);
        let rex = fields.w << 3 | (fields.reg >> 3) << 2 | rm >> 3;
        let (head, len) = with_rex(op, head, u32::from(op.len) + 1, rex, fields.rex);
        self.put_reg_form(head, len, fields);
    }

    /// An instruction whose operand in `rm` is memory.
    #[inline(always)]
    pub(super) fn mem_form(&mut self, op: Opcode, fields: Fields, mem: Mem) {
        if mem.is_rip() {
            return self.rip_form(op, fields, mem);
        }
        let (head, len) = mem_head(op, fields, mem);
        self.put(head, len, tail(mem, fields), mem.disp_len() + u32::from(fields.imm_len));
    }

    #[cold]
    #[inline(never)]
    fn rip_form(&mut self, op: Opcode, fields: Fields, mem: Mem) {
        let (head, len) = mem_head(op, fields, mem);
        self.refer(mem, len, fields.imm_len.into());
        self.put(head, len, tail(mem, fields), mem.disp_len() + u32::from(fields.imm_len));
    }

    /// The register form of a VEX instruction; `vvvv` is the register of the first source, 0 if the row has none.
    #[inline(always)]
    pub(super) fn vex_reg_form(&mut self, op: SseOp, fields: Fields, vvvv: u8, rm: u8) {
        let modrm = 0xc0 | (fields.reg & 7) << 3 | (rm & 7);
        let (head, len) = vex_head(op, fields, vvvv, rm >> 3);
        self.put_reg_form(head | u64::from(modrm) << (8 * len), len + 1, fields);
    }

    #[inline(always)]
    fn put_reg_form(&mut self, head: u64, len: u32, fields: Fields) {
        if fields.imm_len == 0 {
            self.put_short(head, len);
        } else {
            self.put(head, len, fields.imm.into(), fields.imm_len.into());
        }
    }

    /// The memory form of a VEX instruction.
    #[inline(always)]
    pub(super) fn vex_mem_form(&mut self, op: SseOp, fields: Fields, vvvv: u8, mem: Mem) {
        if mem.is_rip() {
            return self.vex_rip_form(op, fields, vvvv, mem);
        }
        let (head, len) = vex_mem_head(op, fields, vvvv, mem);
        self.put(head, len, tail(mem, fields), mem.disp_len() + u32::from(fields.imm_len));
    }

    #[cold]
    #[inline(never)]
    fn vex_rip_form(&mut self, op: SseOp, fields: Fields, vvvv: u8, mem: Mem) {
        let (head, len) = vex_mem_head(op, fields, vvvv, mem);
        self.refer(mem, len, fields.imm_len.into());
        self.put(head, len, tail(mem, fields), mem.disp_len() + u32::from(fields.imm_len));
    }

    /// An instruction on a register or memory of one of the four sizes. The opcode is that of the byte form; the others
    /// have its lowest bit set in the last byte. `register` is the byte register in `reg`, 0 if there is none.
    #[inline(always)]
    pub(super) fn sized_mem_form(&mut self, op: Opcode, size: Size, fields: Fields, mem: Mem, register: u8) {
        let (op, fields) = sized(op, size, fields, register);
        self.mem_form(op, fields, mem);
    }
}

/// The opcode and the fields of an instruction for a size. `op` is a byte form with an even opcode.
#[inline(always)]
pub(super) fn sized(op: Opcode, size: Size, fields: Fields, register: u8) -> (Opcode, Fields) {
    let wide = Opcode { code: op.code | 1 << (8 * (op.len - 1)), ..op };
    match size {
        Size::S8 => (op, fields.byte(register)),
        Size::S16 => (wide.prefix(0x66), fields),
        Size::S32 => (wide, fields),
        Size::S64 => (wide, Fields { w: 1, ..fields }),
    }
}

/// The VEX prefix and the opcode: three bytes if the short prefix does, four otherwise.
/// `xb` is REX.X and REX.B.
#[inline(always)]
fn vex_head(op: SseOp, fields: Fields, vvvv: u8, xb: u8) -> (u64, u32) {
    let w = op.vex_w() | fields.w;
    let low = (!vvvv & 15) << 3 | op.pp();
    let not_r = (!fields.reg & 8) << 4;
    let opcode = u64::from(op.opcode_byte());
    if op.map() == 1 && w | xb == 0 {
        (0xc5 | u64::from(not_r | low) << 8 | opcode << 16, 3)
    } else {
        let first = not_r | (xb ^ 3) << 5 | op.map();
        (0xc4 | u64::from(first) << 8 | u64::from(w << 7 | low) << 16 | opcode << 24, 4)
    }
}
