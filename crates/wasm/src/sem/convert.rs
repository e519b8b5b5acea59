//! Conversions between the scalar types: spec, "Conversions".

use super::Trap;

/// `trunc` and `trunc_sat`. The bounds are the open interval of floats whose whole part fits: its
/// lower end is `MIN - 1` where the float type can tell it from `MIN`, else `MIN` itself counts.
macro_rules! truncations {
    ($($trunc:ident $trunc_sat:ident $text:literal $float:ident -> $int:ident as $signed:ident, $fits:expr;)*) => {$(
        #[doc = concat!("`", $text, "` with `trunc`")]
        ///
        /// # Errors
        /// A NaN, or a number whose whole part does not fit.
        #[inline]
        pub fn $trunc(a: $float) -> Result<$signed, Trap> {
            if a.is_nan() {
                return Err(Trap::InvalidConversion);
            }
            let fits: fn($float) -> bool = $fits;
            if fits(a) { Ok(a as $int as $signed) } else { Err(Trap::IntegerOverflow) }
        }

        #[doc = concat!("`", $text, "` with `trunc_sat`: NaN gives 0, what does not fit the nearest bound.")]
        #[inline]
        pub fn $trunc_sat(a: $float) -> $signed {
            a as $int as $signed
        }
    )*};
}

truncations! {
    i32_trunc_f32_s i32_trunc_sat_f32_s "i32.*_f32_s" f32 -> i32 as i32,
        |a| (-2_147_483_648.0..2_147_483_648.0).contains(&a);
    i32_trunc_f32_u i32_trunc_sat_f32_u "i32.*_f32_u" f32 -> u32 as i32,
        |a| a > -1.0 && a < 4_294_967_296.0;
    i32_trunc_f64_s i32_trunc_sat_f64_s "i32.*_f64_s" f64 -> i32 as i32,
        |a| a > -2_147_483_649.0 && a < 2_147_483_648.0;
    i32_trunc_f64_u i32_trunc_sat_f64_u "i32.*_f64_u" f64 -> u32 as i32,
        |a| a > -1.0 && a < 4_294_967_296.0;
    i64_trunc_f32_s i64_trunc_sat_f32_s "i64.*_f32_s" f32 -> i64 as i64,
        |a| (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&a);
    i64_trunc_f32_u i64_trunc_sat_f32_u "i64.*_f32_u" f32 -> u64 as i64,
        |a| a > -1.0 && a < 18_446_744_073_709_551_616.0;
    i64_trunc_f64_s i64_trunc_sat_f64_s "i64.*_f64_s" f64 -> i64 as i64,
        |a| (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&a);
    i64_trunc_f64_u i64_trunc_sat_f64_u "i64.*_f64_u" f64 -> u64 as i64,
        |a| a > -1.0 && a < 18_446_744_073_709_551_616.0;
}

macro_rules! conversions {
    ($($name:ident $text:literal ($a:ident: $from:ident) -> $to:ident $body:expr;)*) => {$(
        #[doc = concat!("`", $text, "`")]
        #[inline]
        pub fn $name($a: $from) -> $to {
            $body
        }
    )*};
}

conversions! {
    i32_wrap_i64 "i32.wrap_i64" (a: i64) -> i32 a as i32;
    i64_extend_i32_s "i64.extend_i32_s" (a: i32) -> i64 i64::from(a);
    i64_extend_i32_u "i64.extend_i32_u" (a: i32) -> i64 i64::from(a.cast_unsigned());
    f32_convert_i32_s "f32.convert_i32_s" (a: i32) -> f32 a as f32;
    f32_convert_i32_u "f32.convert_i32_u" (a: i32) -> f32 a.cast_unsigned() as f32;
    f32_convert_i64_s "f32.convert_i64_s" (a: i64) -> f32 a as f32;
    f32_convert_i64_u "f32.convert_i64_u" (a: i64) -> f32 a.cast_unsigned() as f32;
    f64_convert_i32_s "f64.convert_i32_s" (a: i32) -> f64 f64::from(a);
    f64_convert_i32_u "f64.convert_i32_u" (a: i32) -> f64 f64::from(a.cast_unsigned());
    f64_convert_i64_s "f64.convert_i64_s" (a: i64) -> f64 a as f64;
    f64_convert_i64_u "f64.convert_i64_u" (a: i64) -> f64 a.cast_unsigned() as f64;
    f32_demote_f64 "f32.demote_f64" (a: f64) -> f32
        if a.is_nan() { f32::from_bits(0x7fc0_0000) } else { a as f32 };
    f64_promote_f32 "f64.promote_f32" (a: f32) -> f64
        if a.is_nan() { f64::from_bits(0x7ff8_0000_0000_0000) } else { f64::from(a) };
    i32_reinterpret_f32 "i32.reinterpret_f32" (a: f32) -> i32 a.to_bits().cast_signed();
    i64_reinterpret_f64 "i64.reinterpret_f64" (a: f64) -> i64 a.to_bits().cast_signed();
    f32_reinterpret_i32 "f32.reinterpret_i32" (a: i32) -> f32 f32::from_bits(a.cast_unsigned());
    f64_reinterpret_i64 "f64.reinterpret_i64" (a: i64) -> f64 f64::from_bits(a.cast_unsigned());
}
