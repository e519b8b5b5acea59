;; Exported functions to call by name, no WASI needed:
;;   cargo run --release -- run --invoke fib examples/fib.wat 35
;;   cargo run --release -- run --invoke gcd examples/fib.wat 1071 462
(module
  ;; The n-th Fibonacci number by double recursion: slow on purpose, a test of calls.
  (func $fib (export "fib") (param $n i32) (result i64)
    (if (result i64) (i32.lt_u (local.get $n) (i32.const 2))
      (then (i64.extend_i32_u (local.get $n)))
      (else
        (i64.add
          (call $fib (i32.sub (local.get $n) (i32.const 1)))
          (call $fib (i32.sub (local.get $n) (i32.const 2)))))))

  ;; The same by a loop, and with two results: the n-th number and the one after it.
  (func (export "fib_pair") (param $n i32) (result i64 i64)
    (local $a i64) (local $b i64)
    (local.set $b (i64.const 1))
    (block $done
      (loop $again
        (br_if $done (i32.eqz (local.get $n)))
        (local.get $b)
        (local.set $b (i64.add (local.get $a) (local.get $b)))
        (local.set $a)
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br $again)))
    (local.get $a)
    (local.get $b))

  ;; The greatest common divisor; a divisor of zero ends the tail calls.
  (func $gcd (export "gcd") (param $a i32) (param $b i32) (result i32)
    (if (i32.eqz (local.get $b)) (then (return (local.get $a))))
    (return_call $gcd (local.get $b) (i32.rem_u (local.get $a) (local.get $b))))

  ;; Divides, and so traps on zero: the backtrace names `divide` and `quotient`.
  (func $divide (param $a i32) (param $b i32) (result i32)
    (i32.div_s (local.get $a) (local.get $b)))
  (func $quotient (export "quotient") (param $a i32) (param $b i32) (result i32)
    (call $divide (local.get $a) (local.get $b))))
