//! Numeric semantics at the edges, and against wider or simpler arithmetic at random.

use super::Trap;
use super::convert::*;
use super::float::*;
use super::int::*;
use crate::samples::Random;

#[test]
fn division() {
    assert_eq!(i32_div_s(i32::MIN, -1), Err(Trap::IntegerOverflow));
    assert_eq!(i32_div_s(1, 0), Err(Trap::DivideByZero));
    assert_eq!(i32_div_s(-7, 2), Ok(-3));
    assert_eq!(i32_div_u(-1, 2), Ok(i32::MAX));
    assert_eq!(i32_div_u(1, 0), Err(Trap::DivideByZero));
    assert_eq!(i32_rem_s(i32::MIN, -1), Ok(0));
    assert_eq!(i32_rem_s(-7, 2), Ok(-1));
    assert_eq!(i32_rem_u(-1, 10), Ok(5));
    assert_eq!(i32_rem_u(1, 0), Err(Trap::DivideByZero));
    assert_eq!(i64_div_s(i64::MIN, -1), Err(Trap::IntegerOverflow));
    assert_eq!(i64_rem_s(i64::MIN, -1), Ok(0));
    assert_eq!(i64_rem_s(1, 0), Err(Trap::DivideByZero));
    assert_eq!(i64_div_u(i64::MIN, -1), Ok(0));
}

#[test]
fn shifts_take_the_count_modulo_the_width() {
    assert_eq!(i32_shl(1, 33), 2);
    assert_eq!(i32_shr_s(-8, 33), -4);
    assert_eq!(i32_shr_u(-8, 1), 0x7fff_fffc);
    assert_eq!(i32_rotl(0x4000_0001, -31), i32::MIN + 2);
    assert_eq!(i32_rotr(1, 33), i32::MIN);
    assert_eq!(i64_shl(1, 65), 2);
    assert_eq!(i64_shr_u(-1, -1), 1);
    assert_eq!(i64_rotl(1, 1 << 32), 1);
    assert_eq!(i64_rotr(1, 65), i64::MIN);
}

#[test]
fn bits() {
    assert_eq!((i32_clz(0), i32_ctz(0), i32_popcnt(-1), i32_eqz(0)), (32, 32, 32, 1));
    assert_eq!((i64_clz(1), i64_ctz(i64::MIN), i64_popcnt(-1), i64_eqz(1)), (63, 63, 64, 0));
    assert_eq!((i32_extend8_s(0x1ff), i32_extend16_s(0x8000)), (-1, -32768));
    assert_eq!((i64_extend8_s(0x80), i64_extend16_s(0x7fff), i64_extend32_s(0xffff_ffff)), (-128, 0x7fff, -1));
    assert_eq!((i32_lt_u(-1, 1), i32_lt_s(-1, 1), i64_ge_u(-1, 1), i64_gt_s(-1, 1)), (0, 1, 1, 0));
}

#[test]
fn wide() {
    let mut random = Random(3);
    for _ in 0..10_000 {
        let [a, b, c, d] = [(); 4].map(|()| random.next() as i64);
        let wide = |low: i64, high: i64| i128::from(high) << 64 | i128::from(low as u64);
        let (low, high) = i64_add128(a, b, c, d);
        assert_eq!(wide(low, high), wide(a, b).wrapping_add(wide(c, d)));
        let (low, high) = i64_sub128(a, b, c, d);
        assert_eq!(wide(low, high), wide(a, b).wrapping_sub(wide(c, d)));
        let (low, high) = i64_mul_wide_s(a, b);
        assert_eq!(wide(low, high), i128::from(a) * i128::from(b));
        let (low, high) = i64_mul_wide_u(a, b);
        assert_eq!(wide(low, high) as u128, u128::from(a as u64) * u128::from(b as u64));
    }
}

#[test]
fn minimum_and_maximum() {
    assert!(f32_min(0.0, -0.0).is_sign_negative() && f32_min(-0.0, 0.0).is_sign_negative());
    assert!(f32_max(0.0, -0.0).is_sign_positive() && f32_max(-0.0, 0.0).is_sign_positive());
    assert!(f32_max(-0.0, -0.0).is_sign_negative());
    assert_eq!((f64_min(1.0, 2.0), f64_max(1.0, 2.0)), (1.0, 2.0));
    assert_eq!((f64_min(-1.0, f64::INFINITY), f64_max(-1.0, f64::NEG_INFINITY)), (-1.0, -1.0));
    assert!(f64_min(f64::NAN, 1.0).is_nan() && f64_max(1.0, f64::NAN).is_nan());
}

#[test]
fn nans() {
    let odd = f32::from_bits(0xffa0_0001);
    assert_eq!(f32_add(odd, 1.0).to_bits(), 0x7fc0_0000);
    assert_eq!(f32_sqrt(-1.0).to_bits(), 0x7fc0_0000);
    assert_eq!(f32_ceil(odd).to_bits(), 0x7fc0_0000);
    assert_eq!(f32_neg(odd).to_bits(), 0x7fa0_0001);
    assert_eq!(f32_abs(odd).to_bits(), 0x7fa0_0001);
    assert_eq!(f32_copysign(f32::from_bits(0x7fa0_0001), -1.0).to_bits(), odd.to_bits());
    assert_eq!(f64_div(0.0, 0.0).to_bits(), 0x7ff8_0000_0000_0000);
    assert_eq!(f64_promote_f32(odd).to_bits(), 0x7ff8_0000_0000_0000);
    assert_eq!(f32_demote_f64(f64::NAN).to_bits(), 0x7fc0_0000);
    assert_eq!((f32_eq(odd, odd), f32_ne(odd, odd), f32_le(odd, odd)), (0, 1, 0));
}

#[test]
fn rounding() {
    for (value, nearest) in [(0.5, 0.0), (1.5, 2.0), (2.5, 2.0), (-0.5, -0.0), (4.2, 4.0)] {
        assert_eq!(f64_nearest(value).to_bits(), f64::to_bits(nearest));
        assert_eq!(f32_nearest(value as f32).to_bits(), f32::to_bits(nearest as f32));
    }
    assert_eq!(f64_trunc(-0.9).to_bits(), (-0.0f64).to_bits());
    assert_eq!(f64_ceil(-0.9).to_bits(), (-0.0f64).to_bits());
    assert_eq!((f64_floor(-0.1), f64_ceil(0.1)), (-1.0, 1.0));
}

#[test]
fn truncation_at_the_bounds() {
    assert_eq!(i32_trunc_f64_s(2_147_483_647.9), Ok(i32::MAX));
    assert_eq!(i32_trunc_f64_s(2_147_483_648.0), Err(Trap::IntegerOverflow));
    assert_eq!(i32_trunc_f64_s(-2_147_483_648.9), Ok(i32::MIN));
    assert_eq!(i32_trunc_f64_s(-2_147_483_649.0), Err(Trap::IntegerOverflow));
    assert_eq!(i32_trunc_f64_u(4_294_967_295.9), Ok(-1));
    assert_eq!(i32_trunc_f64_u(-0.9), Ok(0));
    assert_eq!(i32_trunc_f64_u(-1.0), Err(Trap::IntegerOverflow));
    assert_eq!(i32_trunc_f32_s(-2_147_483_648.0), Ok(i32::MIN));
    assert_eq!(i32_trunc_f32_s(-2_147_483_904.0), Err(Trap::IntegerOverflow));
    assert_eq!(i64_trunc_f64_s(-9_223_372_036_854_775_808.0), Ok(i64::MIN));
    assert_eq!(i64_trunc_f64_s(9_223_372_036_854_775_808.0), Err(Trap::IntegerOverflow));
    assert_eq!(i64_trunc_f32_u(18_446_742_974_197_923_840.0), Ok(-1_099_511_627_776));
    assert_eq!(i64_trunc_f64_u(f64::INFINITY), Err(Trap::IntegerOverflow));
    assert_eq!(i64_trunc_f64_u(f64::NAN), Err(Trap::InvalidConversion));
    assert_eq!(i32_trunc_sat_f32_s(f32::NAN), 0);
    assert_eq!(i32_trunc_sat_f64_u(-5.0), 0);
    assert_eq!(i32_trunc_sat_f64_u(1e20), -1);
    assert_eq!(i64_trunc_sat_f32_s(f32::NEG_INFINITY), i64::MIN);
}

/// Truncation agrees with the definition: the whole part, if it fits.
#[test]
fn truncation_at_random() {
    let mut random = Random(9);
    for _ in 0..100_000 {
        let a = f64::from_bits(random.next());
        let whole = |min: i128, max: i128| {
            if a.is_nan() {
                return Err(Trap::InvalidConversion);
            }
            // Saturates far outside every bound.
            let whole = a.trunc() as i128;
            if (min..=max).contains(&whole) { Ok(whole) } else { Err(Trap::IntegerOverflow) }
        };
        let signed = |bits: u32| whole(-(1 << (bits - 1)), (1 << (bits - 1)) - 1);
        let unsigned = |bits: u32| whole(0, (1 << bits) - 1);
        assert_eq!(i32_trunc_f64_s(a).map(i128::from), signed(32), "{a:?}");
        assert_eq!(i64_trunc_f64_s(a).map(i128::from), signed(64), "{a:?}");
        assert_eq!(i32_trunc_f64_u(a).map(|v| i128::from(v as u32)), unsigned(32), "{a:?}");
        assert_eq!(i64_trunc_f64_u(a).map(|v| i128::from(v as u64)), unsigned(64), "{a:?}");
    }
}

#[test]
fn conversions() {
    assert_eq!(i32_wrap_i64(0x1_ffff_fffe), -2);
    assert_eq!((i64_extend_i32_s(-1), i64_extend_i32_u(-1)), (-1, 0xffff_ffff));
    assert_eq!((f32_convert_i32_s(-1), f32_convert_i32_u(-1)), (-1.0, 4_294_967_296.0));
    assert_eq!((f64_convert_i64_s(-1), f64_convert_i64_u(-1)), (-1.0, 18_446_744_073_709_551_616.0));
    // Ties to even in one rounding, not two.
    assert_eq!(f32_convert_i64_u(0x0020_0000_2000_0001).to_bits(), 0x5a00_0001);
    assert_eq!(i32_reinterpret_f32(-0.0), i32::MIN);
    assert_eq!(f64_reinterpret_i64(i64::MIN).to_bits(), 1 << 63);
}
