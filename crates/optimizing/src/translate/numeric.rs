//! Scalar arithmetic: every operator is one instruction, or a short fixed sequence.
//!
//! Cranelift's own instructions have Wasm's semantics, as far as its x86-64 backend goes: shift counts are taken modulo
//! the width; divisions and conversions trap with codes that [`crate::traps`] knows; `srem` by -1 gives 0.

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::types::{F32, F64, I8, I16, I32, I64, I128};
use cranelift_codegen::ir::{Endianness, InstBuilder, MemFlagsData, Type, Value};
use cranelift_frontend::FuncInstBuilder;
use wasm::ops::Numeric;

use super::state::Translator;

impl<'a> Translator<'a> {
    pub(crate) fn translate_numeric(&mut self, op: Numeric) {
        match op {
            Numeric::I32Eqz | Numeric::I64Eqz => {
                let operand = self.pop();
                let zero = self.is_null(operand);
                self.push_boolean(zero);
            }
            Numeric::I32Eq | Numeric::I64Eq => self.compare(IntCC::Equal),
            Numeric::I32Ne | Numeric::I64Ne => self.compare(IntCC::NotEqual),
            Numeric::I32LtS | Numeric::I64LtS => self.compare(IntCC::SignedLessThan),
            Numeric::I32LtU | Numeric::I64LtU => self.compare(IntCC::UnsignedLessThan),
            Numeric::I32GtS | Numeric::I64GtS => self.compare(IntCC::SignedGreaterThan),
            Numeric::I32GtU | Numeric::I64GtU => self.compare(IntCC::UnsignedGreaterThan),
            Numeric::I32LeS | Numeric::I64LeS => self.compare(IntCC::SignedLessThanOrEqual),
            Numeric::I32LeU | Numeric::I64LeU => self.compare(IntCC::UnsignedLessThanOrEqual),
            Numeric::I32GeS | Numeric::I64GeS => self.compare(IntCC::SignedGreaterThanOrEqual),
            Numeric::I32GeU | Numeric::I64GeU => self.compare(IntCC::UnsignedGreaterThanOrEqual),
            Numeric::F32Eq | Numeric::F64Eq => self.float_compare(FloatCC::Equal),
            Numeric::F32Ne | Numeric::F64Ne => self.float_compare(FloatCC::NotEqual),
            Numeric::F32Lt | Numeric::F64Lt => self.float_compare(FloatCC::LessThan),
            Numeric::F32Gt | Numeric::F64Gt => self.float_compare(FloatCC::GreaterThan),
            Numeric::F32Le | Numeric::F64Le => self.float_compare(FloatCC::LessThanOrEqual),
            Numeric::F32Ge | Numeric::F64Ge => self.float_compare(FloatCC::GreaterThanOrEqual),
            Numeric::I32Clz | Numeric::I64Clz => self.unop(|ins, x| ins.clz(x)),
            Numeric::I32Ctz | Numeric::I64Ctz => self.unop(|ins, x| ins.ctz(x)),
            Numeric::I32Popcnt | Numeric::I64Popcnt => self.unop(|ins, x| ins.popcnt(x)),
            Numeric::I32Add | Numeric::I64Add => self.binop(|ins, x, y| ins.iadd(x, y)),
            Numeric::I32Sub | Numeric::I64Sub => self.binop(|ins, x, y| ins.isub(x, y)),
            Numeric::I32Mul | Numeric::I64Mul => self.binop(|ins, x, y| ins.imul(x, y)),
            Numeric::I32DivS | Numeric::I64DivS => self.binop(|ins, x, y| ins.sdiv(x, y)),
            Numeric::I32DivU | Numeric::I64DivU => self.binop(|ins, x, y| ins.udiv(x, y)),
            Numeric::I32RemS | Numeric::I64RemS => self.binop(|ins, x, y| ins.srem(x, y)),
            Numeric::I32RemU | Numeric::I64RemU => self.binop(|ins, x, y| ins.urem(x, y)),
            Numeric::I32And | Numeric::I64And => self.binop(|ins, x, y| ins.band(x, y)),
            Numeric::I32Or | Numeric::I64Or => self.binop(|ins, x, y| ins.bor(x, y)),
            Numeric::I32Xor | Numeric::I64Xor => self.binop(|ins, x, y| ins.bxor(x, y)),
            Numeric::I32Shl | Numeric::I64Shl => self.binop(|ins, x, y| ins.ishl(x, y)),
            Numeric::I32ShrS | Numeric::I64ShrS => self.binop(|ins, x, y| ins.sshr(x, y)),
            Numeric::I32ShrU | Numeric::I64ShrU => self.binop(|ins, x, y| ins.ushr(x, y)),
            Numeric::I32Rotl | Numeric::I64Rotl => self.binop(|ins, x, y| ins.rotl(x, y)),
            Numeric::I32Rotr | Numeric::I64Rotr => self.binop(|ins, x, y| ins.rotr(x, y)),
            Numeric::F32Abs | Numeric::F64Abs => self.unop(|ins, x| ins.fabs(x)),
            Numeric::F32Neg | Numeric::F64Neg => self.unop(|ins, x| ins.fneg(x)),
            Numeric::F32Ceil | Numeric::F64Ceil => self.unop(|ins, x| ins.ceil(x)),
            Numeric::F32Floor | Numeric::F64Floor => self.unop(|ins, x| ins.floor(x)),
            Numeric::F32Trunc | Numeric::F64Trunc => self.unop(|ins, x| ins.trunc(x)),
            Numeric::F32Nearest | Numeric::F64Nearest => self.unop(|ins, x| ins.nearest(x)),
            Numeric::F32Sqrt | Numeric::F64Sqrt => self.unop(|ins, x| ins.sqrt(x)),
            Numeric::F32Add | Numeric::F64Add => self.binop(|ins, x, y| ins.fadd(x, y)),
            Numeric::F32Sub | Numeric::F64Sub => self.binop(|ins, x, y| ins.fsub(x, y)),
            Numeric::F32Mul | Numeric::F64Mul => self.binop(|ins, x, y| ins.fmul(x, y)),
            Numeric::F32Div | Numeric::F64Div => self.binop(|ins, x, y| ins.fdiv(x, y)),
            Numeric::F32Min | Numeric::F64Min => self.binop(|ins, x, y| ins.fmin(x, y)),
            Numeric::F32Max | Numeric::F64Max => self.binop(|ins, x, y| ins.fmax(x, y)),
            Numeric::F32Copysign | Numeric::F64Copysign => self.binop(|ins, x, y| ins.fcopysign(x, y)),
            Numeric::I32WrapI64 => self.unop(|ins, x| ins.ireduce(I32, x)),
            Numeric::I32TruncF32S | Numeric::I32TruncF64S => self.unop(|ins, x| ins.fcvt_to_sint(I32, x)),
            Numeric::I32TruncF32U | Numeric::I32TruncF64U => self.unop(|ins, x| ins.fcvt_to_uint(I32, x)),
            Numeric::I64TruncF32S | Numeric::I64TruncF64S => self.unop(|ins, x| ins.fcvt_to_sint(I64, x)),
            Numeric::I64TruncF32U | Numeric::I64TruncF64U => self.unop(|ins, x| ins.fcvt_to_uint(I64, x)),
            Numeric::I64ExtendI32S => self.unop(|ins, x| ins.sextend(I64, x)),
            Numeric::I64ExtendI32U => self.unop(|ins, x| ins.uextend(I64, x)),
            Numeric::F32ConvertI32S | Numeric::F32ConvertI64S => self.unop(|ins, x| ins.fcvt_from_sint(F32, x)),
            Numeric::F32ConvertI32U | Numeric::F32ConvertI64U => self.unop(|ins, x| ins.fcvt_from_uint(F32, x)),
            Numeric::F32DemoteF64 => self.unop(|ins, x| ins.fdemote(F32, x)),
            Numeric::F64ConvertI32S | Numeric::F64ConvertI64S => self.unop(|ins, x| ins.fcvt_from_sint(F64, x)),
            Numeric::F64ConvertI32U | Numeric::F64ConvertI64U => self.unop(|ins, x| ins.fcvt_from_uint(F64, x)),
            Numeric::F64PromoteF32 => self.unop(|ins, x| ins.fpromote(F64, x)),
            Numeric::I32ReinterpretF32 => self.reinterpret(I32),
            Numeric::I64ReinterpretF64 => self.reinterpret(I64),
            Numeric::F32ReinterpretI32 => self.reinterpret(F32),
            Numeric::F64ReinterpretI64 => self.reinterpret(F64),
            Numeric::I32Extend8S => self.sign_extend(I8, I32),
            Numeric::I32Extend16S => self.sign_extend(I16, I32),
            Numeric::I64Extend8S => self.sign_extend(I8, I64),
            Numeric::I64Extend16S => self.sign_extend(I16, I64),
            Numeric::I64Extend32S => self.sign_extend(I32, I64),
            Numeric::I32TruncSatF32S | Numeric::I32TruncSatF64S => self.unop(|ins, x| ins.fcvt_to_sint_sat(I32, x)),
            Numeric::I32TruncSatF32U | Numeric::I32TruncSatF64U => self.unop(|ins, x| ins.fcvt_to_uint_sat(I32, x)),
            Numeric::I64TruncSatF32S | Numeric::I64TruncSatF64S => self.unop(|ins, x| ins.fcvt_to_sint_sat(I64, x)),
            Numeric::I64TruncSatF32U | Numeric::I64TruncSatF64U => self.unop(|ins, x| ins.fcvt_to_uint_sat(I64, x)),
            Numeric::I64Add128 => self.wide_binary(|ins, x, y| ins.iadd(x, y)),
            Numeric::I64Sub128 => self.wide_binary(|ins, x, y| ins.isub(x, y)),
            Numeric::I64MulWideS => self.wide_multiply(|ins, x| ins.sextend(I128, x)),
            Numeric::I64MulWideU => self.wide_multiply(|ins, x| ins.uextend(I128, x)),
        }
    }

    fn unop(&mut self, emit: impl FnOnce(FuncInstBuilder<'_, 'a>, Value) -> Value) {
        let operand = self.pop();
        let value = emit(self.builder.ins(), operand);
        self.push(value);
    }

    fn binop(&mut self, emit: impl FnOnce(FuncInstBuilder<'_, 'a>, Value, Value) -> Value) {
        let (first, second) = self.pop2();
        let value = emit(self.builder.ins(), first, second);
        self.push(value);
    }

    fn compare(&mut self, condition: IntCC) {
        let (first, second) = self.pop2();
        let boolean = self.builder.ins().icmp(condition, first, second);
        self.push_boolean(boolean);
    }

    fn float_compare(&mut self, condition: FloatCC) {
        let (first, second) = self.pop2();
        let boolean = self.builder.ins().fcmp(condition, first, second);
        self.push_boolean(boolean);
    }

    /// Pushes an 8-bit boolean as an `i32`.
    fn push_boolean(&mut self, boolean: Value) {
        let value = self.builder.ins().uextend(I32, boolean);
        self.push(value);
    }

    fn reinterpret(&mut self, ty: Type) {
        let operand = self.pop();
        let flags = MemFlagsData::new().with_endianness(Endianness::Little);
        let value = self.builder.ins().bitcast(ty, flags, operand);
        self.push(value);
    }

    fn sign_extend(&mut self, from: Type, to: Type) {
        let operand = self.pop();
        let low = self.builder.ins().ireduce(from, operand);
        let value = self.builder.ins().sextend(to, low);
        self.push(value);
    }

    fn wide_binary(&mut self, emit: impl FnOnce(FuncInstBuilder<'_, 'a>, Value, Value) -> Value) {
        let (second_low, second_high) = self.pop2();
        let (first_low, first_high) = self.pop2();
        let first = self.builder.ins().iconcat(first_low, first_high);
        let second = self.builder.ins().iconcat(second_low, second_high);
        let value = emit(self.builder.ins(), first, second);
        self.push_halves(value);
    }

    fn wide_multiply(&mut self, extend: impl Fn(FuncInstBuilder<'_, 'a>, Value) -> Value) {
        let (first, second) = self.pop2();
        let (first, second) = (extend(self.builder.ins(), first), extend(self.builder.ins(), second));
        let value = self.builder.ins().imul(first, second);
        self.push_halves(value);
    }

    fn push_halves(&mut self, value: Value) {
        let (low, high) = self.builder.ins().isplit(value);
        self.push(low);
        self.push(high);
    }
}
