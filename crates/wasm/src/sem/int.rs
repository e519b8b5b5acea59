//! Integer operators: spec, "Integer operations".

use super::Trap;

macro_rules! integers {
    ($int:ident $uint:ident $text:literal {
        eqz: $eqz:ident, eq: $eq:ident, ne: $ne:ident,
        lt_s: $lt_s:ident, lt_u: $lt_u:ident, gt_s: $gt_s:ident, gt_u: $gt_u:ident,
        le_s: $le_s:ident, le_u: $le_u:ident, ge_s: $ge_s:ident, ge_u: $ge_u:ident,
        clz: $clz:ident, ctz: $ctz:ident, popcnt: $popcnt:ident,
        add: $add:ident, sub: $sub:ident, mul: $mul:ident,
        div_s: $div_s:ident, div_u: $div_u:ident, rem_s: $rem_s:ident, rem_u: $rem_u:ident,
        and: $and:ident, or: $or:ident, xor: $xor:ident,
        shl: $shl:ident, shr_s: $shr_s:ident, shr_u: $shr_u:ident, rotl: $rotl:ident, rotr: $rotr:ident,
        extend8_s: $extend8_s:ident, extend16_s: $extend16_s:ident,
    }) => {
        integers!(@compare $int $text
            $eq "eq" |a, b| a == b; $ne "ne" |a, b| a != b;
            $lt_s "lt_s" |a, b| a < b; $gt_s "gt_s" |a, b| a > b;
            $le_s "le_s" |a, b| a <= b; $ge_s "ge_s" |a, b| a >= b;
            $lt_u "lt_u" |a, b| a.cast_unsigned() < b.cast_unsigned();
            $gt_u "gt_u" |a, b| a.cast_unsigned() > b.cast_unsigned();
            $le_u "le_u" |a, b| a.cast_unsigned() <= b.cast_unsigned();
            $ge_u "ge_u" |a, b| a.cast_unsigned() >= b.cast_unsigned();
        );
        integers!(@unary $int $text
            $clz "clz" |a| a.leading_zeros() as $int;
            $ctz "ctz" |a| a.trailing_zeros() as $int;
            $popcnt "popcnt" |a| a.count_ones() as $int;
            $extend8_s "extend8_s" |a| $int::from(a as i8);
            $extend16_s "extend16_s" |a| $int::from(a as i16);
        );
        // Shift counts are modulo the width, which the wrapping forms do.
        integers!(@binary $int $text
            $add "add" |a, b| a.wrapping_add(b);
            $sub "sub" |a, b| a.wrapping_sub(b);
            $mul "mul" |a, b| a.wrapping_mul(b);
            $and "and" |a, b| a & b;
            $or "or" |a, b| a | b;
            $xor "xor" |a, b| a ^ b;
            $shl "shl" |a, b| a.wrapping_shl(b as u32);
            $shr_s "shr_s" |a, b| a.wrapping_shr(b as u32);
            $shr_u "shr_u" |a, b| a.cast_unsigned().wrapping_shr(b as u32).cast_signed();
            $rotl "rotl" |a, b| a.rotate_left(b as u32 % $int::BITS);
            $rotr "rotr" |a, b| a.rotate_right(b as u32 % $int::BITS);
        );

        #[doc = concat!("`", $text, ".eqz`")]
        #[inline]
        pub fn $eqz(a: $int) -> i32 {
            i32::from(a == 0)
        }

        #[doc = concat!("`", $text, ".div_s`")]
        ///
        /// # Errors
        /// Division by zero, and the one quotient that does not fit.
        #[inline]
        pub fn $div_s(a: $int, b: $int) -> Result<$int, Trap> {
            if b == 0 {
                return Err(Trap::DivideByZero);
            }
            a.checked_div(b).ok_or(Trap::IntegerOverflow)
        }

        #[doc = concat!("`", $text, ".div_u`")]
        ///
        /// # Errors
        /// Division by zero.
        #[inline]
        pub fn $div_u(a: $int, b: $int) -> Result<$int, Trap> {
            let quotient = a.cast_unsigned().checked_div(b.cast_unsigned());
            quotient.map($uint::cast_signed).ok_or(Trap::DivideByZero)
        }

        #[doc = concat!("`", $text, ".rem_s`")]
        ///
        /// # Errors
        /// Division by zero.
        #[inline]
        pub fn $rem_s(a: $int, b: $int) -> Result<$int, Trap> {
            // The quotient of MIN and -1 does not fit, but the remainder is 0.
            if b == 0 { Err(Trap::DivideByZero) } else { Ok(a.wrapping_rem(b)) }
        }

        #[doc = concat!("`", $text, ".rem_u`")]
        ///
        /// # Errors
        /// Division by zero.
        #[inline]
        pub fn $rem_u(a: $int, b: $int) -> Result<$int, Trap> {
            let remainder = a.cast_unsigned().checked_rem(b.cast_unsigned());
            remainder.map($uint::cast_signed).ok_or(Trap::DivideByZero)
        }
    };
    (@compare $int:ident $text:literal $($name:ident $op:literal |$a:ident, $b:ident| $body:expr;)*) => {$(
        #[doc = concat!("`", $text, ".", $op, "`")]
        #[inline]
        pub fn $name($a: $int, $b: $int) -> i32 {
            i32::from($body)
        }
    )*};
    (@unary $int:ident $text:literal $($name:ident $op:literal |$a:ident| $body:expr;)*) => {$(
        #[doc = concat!("`", $text, ".", $op, "`")]
        #[inline]
        pub fn $name($a: $int) -> $int {
            $body
        }
    )*};
    (@binary $int:ident $text:literal $($name:ident $op:literal |$a:ident, $b:ident| $body:expr;)*) => {$(
        #[doc = concat!("`", $text, ".", $op, "`")]
        #[inline]
        pub fn $name($a: $int, $b: $int) -> $int {
            $body
        }
    )*};
}

integers! { i32 u32 "i32" {
    eqz: i32_eqz, eq: i32_eq, ne: i32_ne,
    lt_s: i32_lt_s, lt_u: i32_lt_u, gt_s: i32_gt_s, gt_u: i32_gt_u,
    le_s: i32_le_s, le_u: i32_le_u, ge_s: i32_ge_s, ge_u: i32_ge_u,
    clz: i32_clz, ctz: i32_ctz, popcnt: i32_popcnt,
    add: i32_add, sub: i32_sub, mul: i32_mul,
    div_s: i32_div_s, div_u: i32_div_u, rem_s: i32_rem_s, rem_u: i32_rem_u,
    and: i32_and, or: i32_or, xor: i32_xor,
    shl: i32_shl, shr_s: i32_shr_s, shr_u: i32_shr_u, rotl: i32_rotl, rotr: i32_rotr,
    extend8_s: i32_extend8_s, extend16_s: i32_extend16_s,
}}

integers! { i64 u64 "i64" {
    eqz: i64_eqz, eq: i64_eq, ne: i64_ne,
    lt_s: i64_lt_s, lt_u: i64_lt_u, gt_s: i64_gt_s, gt_u: i64_gt_u,
    le_s: i64_le_s, le_u: i64_le_u, ge_s: i64_ge_s, ge_u: i64_ge_u,
    clz: i64_clz, ctz: i64_ctz, popcnt: i64_popcnt,
    add: i64_add, sub: i64_sub, mul: i64_mul,
    div_s: i64_div_s, div_u: i64_div_u, rem_s: i64_rem_s, rem_u: i64_rem_u,
    and: i64_and, or: i64_or, xor: i64_xor,
    shl: i64_shl, shr_s: i64_shr_s, shr_u: i64_shr_u, rotl: i64_rotl, rotr: i64_rotr,
    extend8_s: i64_extend8_s, extend16_s: i64_extend16_s,
}}

/// `i64.extend32_s`
#[inline]
pub fn i64_extend32_s(a: i64) -> i64 {
    i64::from(a as i32)
}

/// The low and high half of a 128-bit number, as the wide operators pass it.
#[inline]
fn split(value: u128) -> (i64, i64) {
    (value as i64, (value >> 64) as i64)
}

#[inline]
fn join(low: i64, high: i64) -> u128 {
    u128::from(high.cast_unsigned()) << 64 | u128::from(low.cast_unsigned())
}

/// `i64.add128`: operands and result as low and high half.
#[inline]
pub fn i64_add128(a_low: i64, a_high: i64, b_low: i64, b_high: i64) -> (i64, i64) {
    split(join(a_low, a_high).wrapping_add(join(b_low, b_high)))
}

/// `i64.sub128`: operands and result as low and high half.
#[inline]
pub fn i64_sub128(a_low: i64, a_high: i64, b_low: i64, b_high: i64) -> (i64, i64) {
    split(join(a_low, a_high).wrapping_sub(join(b_low, b_high)))
}

/// `i64.mul_wide_s`: the low and high half of the product.
#[inline]
pub fn i64_mul_wide_s(a: i64, b: i64) -> (i64, i64) {
    split((i128::from(a) * i128::from(b)).cast_unsigned())
}

/// `i64.mul_wide_u`: the low and high half of the product.
#[inline]
pub fn i64_mul_wide_u(a: i64, b: i64) -> (i64, i64) {
    split(u128::from(a.cast_unsigned()) * u128::from(b.cast_unsigned()))
}
