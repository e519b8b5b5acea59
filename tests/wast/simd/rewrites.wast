;; Shuffles of one operand and selections by a comparison, which the optimizing tier rewrites; relaxed truncations, which it
;; does as x86-64 has them.

(module
    (func (export "s") (param v128) (result v128) (i32x4.relaxed_trunc_f32x4_s (local.get 0)))
    (func (export "u") (param v128) (result v128) (i32x4.relaxed_trunc_f32x4_u (local.get 0)))
    (func (export "sz") (param v128) (result v128) (i32x4.relaxed_trunc_f64x2_s_zero (local.get 0)))
    (func (export "uz") (param v128) (result v128) (i32x4.relaxed_trunc_f64x2_u_zero (local.get 0)))
    (func (export "sel") (param v128 v128 v128 v128) (result v128) (v128.bitselect (local.get 0) (local.get 1) (i32x4.lt_s (local.get 2) (local.get 3))))
    (func (export "self") (param v128 v128 v128 v128) (result v128) (v128.bitselect (local.get 0) (local.get 1) (f64x2.lt (local.get 2) (local.get 3))))
    (func (export "shufa") (param v128 v128) (result v128) (i8x16.shuffle 3 3 2 2 1 1 0 0 15 14 13 12 11 10 9 8 (local.get 0) (local.get 1)))
    (func (export "shufb") (param v128 v128) (result v128) (i8x16.shuffle 19 19 18 18 17 17 16 16 31 30 29 28 27 26 25 24 (local.get 0) (local.get 1)))
)
(assert_return (invoke "s" (v128.const f32x4 1.9 -1.9 -2147483648.0 nan)) (v128.const i32x4 1 -1 -2147483648 -2147483648))
(assert_return (invoke "u" (v128.const f32x4 1.9 -1.9 4294967040.0 nan)) (v128.const i32x4 1 0 4294967040 0))
(assert_return (invoke "sz" (v128.const f64x2 -1.9 2147483647.5)) (v128.const i32x4 -1 2147483647 0 0))
(assert_return (invoke "uz" (v128.const f64x2 -1.9 4294967295.5)) (v128.const i32x4 0 4294967295 0 0))
(assert_return (invoke "sel" (v128.const i32x4 1 2 3 4) (v128.const i32x4 5 6 7 8) (v128.const i32x4 0 9 -1 9) (v128.const i32x4 1 1 1 1)) (v128.const i32x4 1 6 3 8))
(assert_return (invoke "self" (v128.const i64x2 1 2) (v128.const i64x2 5 6) (v128.const f64x2 0 nan) (v128.const f64x2 1 1)) (v128.const i64x2 1 6))
(assert_return (invoke "shufa" (v128.const i8x16 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15) (v128.const i8x16 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31)) (v128.const i8x16 3 3 2 2 1 1 0 0 15 14 13 12 11 10 9 8))
(assert_return (invoke "shufb" (v128.const i8x16 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15) (v128.const i8x16 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31)) (v128.const i8x16 19 19 18 18 17 17 16 16 31 30 29 28 27 26 25 24))
