;; A trap in a called module leaves both instances as they were, and callable.

(module $inner
  (global $count (mut i32) (i32.const 0))
  (func (export "fail")
    (global.set $count (i32.add (global.get $count) (i32.const 1)))
    unreachable)
  (func (export "count") (result i32) (global.get $count)))
(register "inner")

(module $outer
  (import "inner" "fail" (func $fail))
  (import "spectest" "print_i32" (func $print (param i32)))
  (func (export "call") (call $print (i32.const 1)) (call $fail) (call $print (i32.const 2)))
  (func (export "fine") (result i32) (call $print (i32.const 3)) (i32.const 3)))

(assert_trap (invoke $outer "call") "unreachable")
(assert_trap (invoke $outer "call") "unreachable")
(assert_return (invoke $outer "fine") (i32.const 3))
(assert_return (invoke $inner "count") (i32.const 2))
;; A start function that traps leaves what it did before.
(assert_trap
  (module (import "inner" "fail" (func $fail)) (start $fail))
  "unreachable")
(assert_return (invoke $inner "count") (i32.const 3))
