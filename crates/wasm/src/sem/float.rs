//! Floating-point operators: spec, "Floating-point operations".

macro_rules! floats {
    ($float:ident $bits:ident $text:literal $canonical:literal {
        eq: $eq:ident, ne: $ne:ident, lt: $lt:ident, gt: $gt:ident, le: $le:ident, ge: $ge:ident,
        abs: $abs:ident, neg: $neg:ident, ceil: $ceil:ident, floor: $floor:ident,
        trunc: $trunc:ident, nearest: $nearest:ident, sqrt: $sqrt:ident,
        add: $add:ident, sub: $sub:ident, mul: $mul:ident, div: $div:ident,
        min: $min:ident, max: $max:ident, copysign: $copysign:ident, canonical: $canon:ident,
    }) => {
        floats!(@compare $float $text
            $eq "eq" ==; $ne "ne" !=; $lt "lt" <; $gt "gt" >; $le "le" <=; $ge "ge" >=;);
        floats!(@unary $float $text $canon
            $ceil "ceil" |a| a.ceil();
            $floor "floor" |a| a.floor();
            $trunc "trunc" |a| a.trunc();
            $nearest "nearest" |a| a.round_ties_even();
            $sqrt "sqrt" |a| a.sqrt();
        );
        floats!(@binary $float $text $canon
            $add "add" +; $sub "sub" -; $mul "mul" *; $div "div" /;);

        /// A NaN becomes the positive canonical one; every other value stays.
        #[inline]
        fn $canon(a: $float) -> $float {
            if a.is_nan() { $float::from_bits($canonical) } else { a }
        }

        #[doc = concat!("`", $text, ".abs`: clears the sign bit, of a NaN too.")]
        #[inline]
        pub fn $abs(a: $float) -> $float {
            $float::from_bits(a.to_bits() & ($bits::MAX >> 1))
        }

        #[doc = concat!("`", $text, ".neg`: flips the sign bit, of a NaN too.")]
        #[inline]
        pub fn $neg(a: $float) -> $float {
            $float::from_bits(a.to_bits() ^ !($bits::MAX >> 1))
        }

        #[doc = concat!("`", $text, ".copysign`: `a` with the sign bit of `b`.")]
        #[inline]
        pub fn $copysign(a: $float, b: $float) -> $float {
            let magnitude = a.to_bits() & ($bits::MAX >> 1);
            $float::from_bits(magnitude | b.to_bits() & !($bits::MAX >> 1))
        }

        #[doc = concat!("`", $text, ".min`: NaN if either is; -0 is less than +0.")]
        #[inline]
        pub fn $min(a: $float, b: $float) -> $float {
            if a.is_nan() || b.is_nan() {
                return $float::from_bits($canonical);
            }
            // Equal numbers differ in the sign of zero at most: the sign bit wins.
            if a == b { $float::from_bits(a.to_bits() | b.to_bits()) } else if a < b { a } else { b }
        }

        #[doc = concat!("`", $text, ".max`: NaN if either is; +0 is greater than -0.")]
        #[inline]
        pub fn $max(a: $float, b: $float) -> $float {
            if a.is_nan() || b.is_nan() {
                return $float::from_bits($canonical);
            }
            if a == b { $float::from_bits(a.to_bits() & b.to_bits()) } else if a > b { a } else { b }
        }
    };
    (@compare $float:ident $text:literal $($name:ident $op:literal $token:tt;)*) => {$(
        #[doc = concat!("`", $text, ".", $op, "`")]
        #[inline]
        pub fn $name(a: $float, b: $float) -> i32 {
            i32::from(a $token b)
        }
    )*};
    (@unary $float:ident $text:literal $canon:ident $($name:ident $op:literal |$a:ident| $body:expr;)*) => {$(
        #[doc = concat!("`", $text, ".", $op, "`")]
        #[inline]
        pub fn $name($a: $float) -> $float {
            $canon($body)
        }
    )*};
    (@binary $float:ident $text:literal $canon:ident $($name:ident $op:literal $token:tt;)*) => {$(
        #[doc = concat!("`", $text, ".", $op, "`")]
        #[inline]
        pub fn $name(a: $float, b: $float) -> $float {
            $canon(a $token b)
        }
    )*};
}

floats! { f32 u32 "f32" 0x7fc0_0000 {
    eq: f32_eq, ne: f32_ne, lt: f32_lt, gt: f32_gt, le: f32_le, ge: f32_ge,
    abs: f32_abs, neg: f32_neg, ceil: f32_ceil, floor: f32_floor,
    trunc: f32_trunc, nearest: f32_nearest, sqrt: f32_sqrt,
    add: f32_add, sub: f32_sub, mul: f32_mul, div: f32_div,
    min: f32_min, max: f32_max, copysign: f32_copysign, canonical: f32_canonical,
}}

floats! { f64 u64 "f64" 0x7ff8_0000_0000_0000 {
    eq: f64_eq, ne: f64_ne, lt: f64_lt, gt: f64_gt, le: f64_le, ge: f64_ge,
    abs: f64_abs, neg: f64_neg, ceil: f64_ceil, floor: f64_floor,
    trunc: f64_trunc, nearest: f64_nearest, sqrt: f64_sqrt,
    add: f64_add, sub: f64_sub, mul: f64_mul, div: f64_div,
    min: f64_min, max: f64_max, copysign: f64_copysign, canonical: f64_canonical,
}}
