//! Scalar arithmetic: which routine emits which operator, and folding of constants.
//!
//! Every routine folds first, by the function of [`wasm::sem`] that it is given; values are their bits there, those of
//! 32-bit types zero-extended, as on the value stack.

use abi::assign::MachineType::{self, F32, F64, I32, I64};
use wasm::ops::Numeric;
use wasm::sem::{convert, float, int};

use self::compare::FloatOrder;
use self::conversion::{Integer, Rounded};
use self::divide::Division;
use crate::asm::x64::{Alu, Cond, Shift, SseOp};
use crate::function::Function;

mod compare;
mod conversion;
mod count;
mod divide;
mod floating;
mod integer;
mod reciprocal;
mod shift;
mod wide;

/// Computes an operator of one operand.
type FoldUnary = fn(u64) -> u64;

/// Computes an operator of two operands.
type FoldBinary = fn(u64, u64) -> u64;

/// Computes an operator of one operand unless it traps.
type TryFoldUnary = fn(u64) -> Option<u64>;

/// Computes an operator of two operands unless it traps.
type TryFoldBinary = fn(u64, u64) -> Option<u64>;

/// A scalar as bits.
trait Bits {
    fn of(bits: u64) -> Self;
    fn bits(self) -> u64;
}

impl Bits for i32 {
    fn of(bits: u64) -> i32 {
        bits as i32
    }

    fn bits(self) -> u64 {
        u64::from(self.cast_unsigned())
    }
}

impl Bits for i64 {
    fn of(bits: u64) -> i64 {
        bits.cast_signed()
    }

    fn bits(self) -> u64 {
        self.cast_unsigned()
    }
}

impl Bits for f32 {
    fn of(bits: u64) -> f32 {
        f32::from_bits(bits as u32)
    }

    fn bits(self) -> u64 {
        u64::from(self.to_bits())
    }
}

impl Bits for f64 {
    fn of(bits: u64) -> f64 {
        f64::from_bits(bits)
    }

    fn bits(self) -> u64 {
        self.to_bits()
    }
}

/// A function of [`wasm::sem`] on bits.
macro_rules! unary {
    ($function:path) => {
        |a| $function(Bits::of(a)).bits()
    };
}

/// A function of [`wasm::sem`] on bits.
macro_rules! binary {
    ($function:path) => {
        |a, b| $function(Bits::of(a), Bits::of(b)).bits()
    };
}

/// A function of [`wasm::sem`] that may trap, on bits.
macro_rules! try_unary {
    ($function:path) => {
        |a| $function(Bits::of(a)).ok().map(Bits::bits)
    };
}

/// A function of [`wasm::sem`] that may trap, on bits.
macro_rules! try_binary {
    ($function:path) => {
        |a, b| $function(Bits::of(a), Bits::of(b)).ok().map(Bits::bits)
    };
}

impl Function<'_> {
    pub(crate) fn emit_numeric(&mut self, op: Numeric) {
        use Division::{DivS, DivU, RemS, RemU};
        match op {
            Numeric::I32Eqz => self.equals_zero32(),
            Numeric::I32Eq => self.compare(Cond::E, I32, binary!(int::i32_eq)),
            Numeric::I32Ne => self.compare(Cond::Ne, I32, binary!(int::i32_ne)),
            Numeric::I32LtS => self.compare(Cond::L, I32, binary!(int::i32_lt_s)),
            Numeric::I32LtU => self.compare(Cond::B, I32, binary!(int::i32_lt_u)),
            Numeric::I32GtS => self.compare(Cond::G, I32, binary!(int::i32_gt_s)),
            Numeric::I32GtU => self.compare(Cond::A, I32, binary!(int::i32_gt_u)),
            Numeric::I32LeS => self.compare(Cond::Le, I32, binary!(int::i32_le_s)),
            Numeric::I32LeU => self.compare(Cond::Be, I32, binary!(int::i32_le_u)),
            Numeric::I32GeS => self.compare(Cond::Ge, I32, binary!(int::i32_ge_s)),
            Numeric::I32GeU => self.compare(Cond::Ae, I32, binary!(int::i32_ge_u)),
            Numeric::I64Eqz => self.equals_zero(),
            Numeric::I64Eq => self.compare(Cond::E, I64, binary!(int::i64_eq)),
            Numeric::I64Ne => self.compare(Cond::Ne, I64, binary!(int::i64_ne)),
            Numeric::I64LtS => self.compare(Cond::L, I64, binary!(int::i64_lt_s)),
            Numeric::I64LtU => self.compare(Cond::B, I64, binary!(int::i64_lt_u)),
            Numeric::I64GtS => self.compare(Cond::G, I64, binary!(int::i64_gt_s)),
            Numeric::I64GtU => self.compare(Cond::A, I64, binary!(int::i64_gt_u)),
            Numeric::I64LeS => self.compare(Cond::Le, I64, binary!(int::i64_le_s)),
            Numeric::I64LeU => self.compare(Cond::Be, I64, binary!(int::i64_le_u)),
            Numeric::I64GeS => self.compare(Cond::Ge, I64, binary!(int::i64_ge_s)),
            Numeric::I64GeU => self.compare(Cond::Ae, I64, binary!(int::i64_ge_u)),
            Numeric::F32Eq => self.compare_float(FloatOrder::Eq, F32, binary!(float::f32_eq)),
            Numeric::F32Ne => self.compare_float(FloatOrder::Ne, F32, binary!(float::f32_ne)),
            Numeric::F32Lt => self.compare_float(FloatOrder::Lt, F32, binary!(float::f32_lt)),
            Numeric::F32Gt => self.compare_float(FloatOrder::Gt, F32, binary!(float::f32_gt)),
            Numeric::F32Le => self.compare_float(FloatOrder::Le, F32, binary!(float::f32_le)),
            Numeric::F32Ge => self.compare_float(FloatOrder::Ge, F32, binary!(float::f32_ge)),
            Numeric::F64Eq => self.compare_float(FloatOrder::Eq, F64, binary!(float::f64_eq)),
            Numeric::F64Ne => self.compare_float(FloatOrder::Ne, F64, binary!(float::f64_ne)),
            Numeric::F64Lt => self.compare_float(FloatOrder::Lt, F64, binary!(float::f64_lt)),
            Numeric::F64Gt => self.compare_float(FloatOrder::Gt, F64, binary!(float::f64_gt)),
            Numeric::F64Le => self.compare_float(FloatOrder::Le, F64, binary!(float::f64_le)),
            Numeric::F64Ge => self.compare_float(FloatOrder::Ge, F64, binary!(float::f64_ge)),
            Numeric::I32Clz => self.leading_zeros(I32, unary!(int::i32_clz)),
            Numeric::I32Ctz => self.trailing_zeros(I32, unary!(int::i32_ctz)),
            Numeric::I32Popcnt => self.count_ones(I32, unary!(int::i32_popcnt)),
            Numeric::I32Add => self.add(I32, binary!(int::i32_add)),
            Numeric::I32Sub => self.subtract(I32, binary!(int::i32_sub)),
            Numeric::I32Mul => self.multiply(I32, binary!(int::i32_mul)),
            Numeric::I32DivS => self.divide(DivS, I32, try_binary!(int::i32_div_s)),
            Numeric::I32DivU => self.divide(DivU, I32, try_binary!(int::i32_div_u)),
            Numeric::I32RemS => self.divide(RemS, I32, try_binary!(int::i32_rem_s)),
            Numeric::I32RemU => self.divide(RemU, I32, try_binary!(int::i32_rem_u)),
            Numeric::I32And => self.bitwise(Alu::And, I32, binary!(int::i32_and)),
            Numeric::I32Or => self.bitwise(Alu::Or, I32, binary!(int::i32_or)),
            Numeric::I32Xor => self.bitwise(Alu::Xor, I32, binary!(int::i32_xor)),
            Numeric::I32Shl => self.shift_int(Shift::Shl, I32, binary!(int::i32_shl)),
            Numeric::I32ShrS => self.shift_int(Shift::Sar, I32, binary!(int::i32_shr_s)),
            Numeric::I32ShrU => self.shift_int(Shift::Shr, I32, binary!(int::i32_shr_u)),
            Numeric::I32Rotl => self.shift_int(Shift::Rol, I32, binary!(int::i32_rotl)),
            Numeric::I32Rotr => self.shift_int(Shift::Ror, I32, binary!(int::i32_rotr)),
            Numeric::I64Clz => self.leading_zeros(I64, unary!(int::i64_clz)),
            Numeric::I64Ctz => self.trailing_zeros(I64, unary!(int::i64_ctz)),
            Numeric::I64Popcnt => self.count_ones(I64, unary!(int::i64_popcnt)),
            Numeric::I64Add => self.add(I64, binary!(int::i64_add)),
            Numeric::I64Sub => self.subtract(I64, binary!(int::i64_sub)),
            Numeric::I64Mul => self.multiply(I64, binary!(int::i64_mul)),
            Numeric::I64DivS => self.divide(DivS, I64, try_binary!(int::i64_div_s)),
            Numeric::I64DivU => self.divide(DivU, I64, try_binary!(int::i64_div_u)),
            Numeric::I64RemS => self.divide(RemS, I64, try_binary!(int::i64_rem_s)),
            Numeric::I64RemU => self.divide(RemU, I64, try_binary!(int::i64_rem_u)),
            Numeric::I64And => self.bitwise(Alu::And, I64, binary!(int::i64_and)),
            Numeric::I64Or => self.bitwise(Alu::Or, I64, binary!(int::i64_or)),
            Numeric::I64Xor => self.bitwise(Alu::Xor, I64, binary!(int::i64_xor)),
            Numeric::I64Shl => self.shift_int(Shift::Shl, I64, binary!(int::i64_shl)),
            Numeric::I64ShrS => self.shift_int(Shift::Sar, I64, binary!(int::i64_shr_s)),
            Numeric::I64ShrU => self.shift_int(Shift::Shr, I64, binary!(int::i64_shr_u)),
            Numeric::I64Rotl => self.shift_int(Shift::Rol, I64, binary!(int::i64_rotl)),
            Numeric::I64Rotr => self.shift_int(Shift::Ror, I64, binary!(int::i64_rotr)),
            Numeric::F32Abs => self.change_sign(SseOp::ANDPS, F32, unary!(float::f32_abs)),
            Numeric::F32Neg => self.change_sign(SseOp::XORPS, F32, unary!(float::f32_neg)),
            Numeric::F32Ceil => self.round_float(Rounded::Up, F32, unary!(float::f32_ceil)),
            Numeric::F32Floor => self.round_float(Rounded::Down, F32, unary!(float::f32_floor)),
            Numeric::F32Trunc => self.round_float(Rounded::ToZero, F32, unary!(float::f32_trunc)),
            Numeric::F32Nearest => self.round_float(Rounded::ToEven, F32, unary!(float::f32_nearest)),
            Numeric::F32Sqrt => self.float_unary(SseOp::SQRTSS, F32, unary!(float::f32_sqrt)),
            Numeric::F32Add => self.float_binary(SseOp::ADDSS, F32, binary!(float::f32_add)),
            Numeric::F32Sub => self.float_binary(SseOp::SUBSS, F32, binary!(float::f32_sub)),
            Numeric::F32Mul => self.float_binary(SseOp::MULSS, F32, binary!(float::f32_mul)),
            Numeric::F32Div => self.float_binary(SseOp::DIVSS, F32, binary!(float::f32_div)),
            Numeric::F32Min => self.minimum(F32, binary!(float::f32_min)),
            Numeric::F32Max => self.maximum(F32, binary!(float::f32_max)),
            Numeric::F32Copysign => self.copy_sign(F32, binary!(float::f32_copysign)),
            Numeric::F64Abs => self.change_sign(SseOp::ANDPS, F64, unary!(float::f64_abs)),
            Numeric::F64Neg => self.change_sign(SseOp::XORPS, F64, unary!(float::f64_neg)),
            Numeric::F64Ceil => self.round_float(Rounded::Up, F64, unary!(float::f64_ceil)),
            Numeric::F64Floor => self.round_float(Rounded::Down, F64, unary!(float::f64_floor)),
            Numeric::F64Trunc => self.round_float(Rounded::ToZero, F64, unary!(float::f64_trunc)),
            Numeric::F64Nearest => self.round_float(Rounded::ToEven, F64, unary!(float::f64_nearest)),
            Numeric::F64Sqrt => self.float_unary(SseOp::SQRTSD, F64, unary!(float::f64_sqrt)),
            Numeric::F64Add => self.float_binary(SseOp::ADDSD, F64, binary!(float::f64_add)),
            Numeric::F64Sub => self.float_binary(SseOp::SUBSD, F64, binary!(float::f64_sub)),
            Numeric::F64Mul => self.float_binary(SseOp::MULSD, F64, binary!(float::f64_mul)),
            Numeric::F64Div => self.float_binary(SseOp::DIVSD, F64, binary!(float::f64_div)),
            Numeric::F64Min => self.minimum(F64, binary!(float::f64_min)),
            Numeric::F64Max => self.maximum(F64, binary!(float::f64_max)),
            Numeric::F64Copysign => self.copy_sign(F64, binary!(float::f64_copysign)),
            Numeric::I32WrapI64 => self.wrap(unary!(convert::i32_wrap_i64)),
            Numeric::I32TruncF32S => self.truncate(Integer::S32, F32, try_unary!(convert::i32_trunc_f32_s)),
            Numeric::I32TruncF32U => self.truncate(Integer::U32, F32, try_unary!(convert::i32_trunc_f32_u)),
            Numeric::I32TruncF64S => self.truncate(Integer::S32, F64, try_unary!(convert::i32_trunc_f64_s)),
            Numeric::I32TruncF64U => self.truncate(Integer::U32, F64, try_unary!(convert::i32_trunc_f64_u)),
            Numeric::I64ExtendI32S => self.extend32(unary!(convert::i64_extend_i32_s)),
            Numeric::I64ExtendI32U => self.extend32_unsigned(unary!(convert::i64_extend_i32_u)),
            Numeric::I64TruncF32S => self.truncate(Integer::S64, F32, try_unary!(convert::i64_trunc_f32_s)),
            Numeric::I64TruncF32U => self.truncate(Integer::U64, F32, try_unary!(convert::i64_trunc_f32_u)),
            Numeric::I64TruncF64S => self.truncate(Integer::S64, F64, try_unary!(convert::i64_trunc_f64_s)),
            Numeric::I64TruncF64U => self.truncate(Integer::U64, F64, try_unary!(convert::i64_trunc_f64_u)),
            Numeric::F32ConvertI32S => self.float_from(Integer::S32, F32, unary!(convert::f32_convert_i32_s)),
            Numeric::F32ConvertI32U => self.float_from(Integer::U32, F32, unary!(convert::f32_convert_i32_u)),
            Numeric::F32ConvertI64S => self.float_from(Integer::S64, F32, unary!(convert::f32_convert_i64_s)),
            Numeric::F32ConvertI64U => self.float_from(Integer::U64, F32, unary!(convert::f32_convert_i64_u)),
            Numeric::F32DemoteF64 => self.float_unary(SseOp::CVTSD2SS, F32, unary!(convert::f32_demote_f64)),
            Numeric::F64ConvertI32S => self.float_from(Integer::S32, F64, unary!(convert::f64_convert_i32_s)),
            Numeric::F64ConvertI32U => self.float_from(Integer::U32, F64, unary!(convert::f64_convert_i32_u)),
            Numeric::F64ConvertI64S => self.float_from(Integer::S64, F64, unary!(convert::f64_convert_i64_s)),
            Numeric::F64ConvertI64U => self.float_from(Integer::U64, F64, unary!(convert::f64_convert_i64_u)),
            Numeric::F64PromoteF32 => self.float_unary(SseOp::CVTSS2SD, F64, unary!(convert::f64_promote_f32)),
            Numeric::I32ReinterpretF32 => self.reinterpret_float(I32),
            Numeric::I64ReinterpretF64 => self.reinterpret_float(I64),
            Numeric::F32ReinterpretI32 => self.reinterpret_int(F32),
            Numeric::F64ReinterpretI64 => self.reinterpret_int(F64),
            Numeric::I32Extend8S => self.extend8(I32, unary!(int::i32_extend8_s)),
            Numeric::I32Extend16S => self.extend16(I32, unary!(int::i32_extend16_s)),
            Numeric::I64Extend8S => self.extend8(I64, unary!(int::i64_extend8_s)),
            Numeric::I64Extend16S => self.extend16(I64, unary!(int::i64_extend16_s)),
            Numeric::I64Extend32S => self.extend32(unary!(int::i64_extend32_s)),
            Numeric::I32TruncSatF32S => self.saturate(Integer::S32, F32, unary!(convert::i32_trunc_sat_f32_s)),
            Numeric::I32TruncSatF32U => self.saturate(Integer::U32, F32, unary!(convert::i32_trunc_sat_f32_u)),
            Numeric::I32TruncSatF64S => self.saturate(Integer::S32, F64, unary!(convert::i32_trunc_sat_f64_s)),
            Numeric::I32TruncSatF64U => self.saturate(Integer::U32, F64, unary!(convert::i32_trunc_sat_f64_u)),
            Numeric::I64TruncSatF32S => self.saturate(Integer::S64, F32, unary!(convert::i64_trunc_sat_f32_s)),
            Numeric::I64TruncSatF32U => self.saturate(Integer::U64, F32, unary!(convert::i64_trunc_sat_f32_u)),
            Numeric::I64TruncSatF64S => self.saturate(Integer::S64, F64, unary!(convert::i64_trunc_sat_f64_s)),
            Numeric::I64TruncSatF64U => self.saturate(Integer::U64, F64, unary!(convert::i64_trunc_sat_f64_u)),
            Numeric::I64Add128 => self.wide_add(Alu::Add, Alu::Adc),
            Numeric::I64Sub128 => self.wide_add(Alu::Sub, Alu::Sbb),
            Numeric::I64MulWideS => self.wide_multiply(true),
            Numeric::I64MulWideU => self.wide_multiply(false),
        }
    }

    /// Computes the operator if its operand is constant; then all is done.
    #[inline]
    fn fold_unary(&mut self, result: MachineType, fold: FoldUnary) -> bool {
        let Some(operand) = self.constant(0) else { return false };
        self.drop_top();
        self.push_const(result, fold(operand));
        true
    }

    /// Computes the operator if both operands are constant; then all is done.
    #[inline]
    fn fold_binary(&mut self, result: MachineType, fold: FoldBinary) -> bool {
        let (Some(first), Some(second)) = (self.constant(1), self.constant(0)) else { return false };
        self.drop_top();
        self.drop_top();
        self.push_const(result, fold(first, second));
        true
    }
}
