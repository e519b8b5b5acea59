;; Many parameters and results through every kind of call, and a stack that ends while they are on it.

(module $m
  (type $wide (func (param i32 i64 f32 f64 i32 i64 f32 f64 i32 i64 f32 f64) (result f64 i64 f32 i32 f64 i64 i32)))
  (table funcref (elem $wide))
  (func $wide (export "wide") (type $wide)
    (local.get 3) (local.get 5) (local.get 6) (local.get 8) (local.get 11) (local.get 9) (local.get 4))
  (func (export "direct") (type $wide)
    (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4) (local.get 5) (local.get 6) (local.get 7)
    (local.get 8) (local.get 9) (local.get 10) (local.get 11) (call $wide))
  (func (export "indirect") (type $wide)
    (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4) (local.get 5) (local.get 6) (local.get 7)
    (local.get 8) (local.get 9) (local.get 10) (local.get 11) (call_indirect (type $wide) (i32.const 0)))
  (func (export "tail") (type $wide)
    (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4) (local.get 5) (local.get 6) (local.get 7)
    (local.get 8) (local.get 9) (local.get 10) (local.get 11) (return_call $wide))
  (func $deep (export "deep") (type $wide)
    (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4) (local.get 5) (local.get 6) (local.get 7)
    (local.get 8) (local.get 9) (local.get 10) (local.get 11) (call $deep))
  ;; A million tail calls take no stack.
  (func $count (export "count") (param i32) (result i32)
    (if (i32.eqz (local.get 0)) (then (return (i32.const 7))))
    (return_call $count (i32.sub (local.get 0) (i32.const 1)))))

(register "m")

(module
  (type $wide (func (param i32 i64 f32 f64 i32 i64 f32 f64 i32 i64 f32 f64) (result f64 i64 f32 i32 f64 i64 i32)))
  (import "m" "indirect" (func $indirect (type $wide)))
  (func (export "imported") (type $wide)
    (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4) (local.get 5) (local.get 6) (local.get 7)
    (local.get 8) (local.get 9) (local.get 10) (local.get 11) (call $indirect)))

(assert_return
  (invoke "imported" (i32.const 1) (i64.const 2) (f32.const 3) (f64.const 4) (i32.const 5) (i64.const 6) (f32.const 7)
    (f64.const 8) (i32.const 9) (i64.const 10) (f32.const 11) (f64.const 12))
  (f64.const 4) (i64.const 6) (f32.const 7) (i32.const 9) (f64.const 12) (i64.const 10) (i32.const 5))
(assert_return
  (invoke $m "direct" (i32.const 1) (i64.const 2) (f32.const 3) (f64.const 4) (i32.const 5) (i64.const 6) (f32.const 7)
    (f64.const 8) (i32.const 9) (i64.const 10) (f32.const 11) (f64.const 12))
  (f64.const 4) (i64.const 6) (f32.const 7) (i32.const 9) (f64.const 12) (i64.const 10) (i32.const 5))
(assert_return
  (invoke $m "tail" (i32.const 1) (i64.const 2) (f32.const 3) (f64.const 4) (i32.const 5) (i64.const 6) (f32.const 7)
    (f64.const 8) (i32.const 9) (i64.const 10) (f32.const 11) (f64.const 12))
  (f64.const 4) (i64.const 6) (f32.const 7) (i32.const 9) (f64.const 12) (i64.const 10) (i32.const 5))
(assert_exhaustion
  (invoke $m "deep" (i32.const 1) (i64.const 2) (f32.const 3) (f64.const 4) (i32.const 5) (i64.const 6) (f32.const 7)
    (f64.const 8) (i32.const 9) (i64.const 10) (f32.const 11) (f64.const 12))
  "call stack exhausted")
;; The store is as good as before.
(assert_return (invoke $m "count" (i32.const 1000000)) (i32.const 7))
