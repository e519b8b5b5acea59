;; Operands below a block that are copies of one another, or of a local.

(module
  ;; Two copies of a value whose local has been set, and another value in between.
  (func (export "copies") (param $a i64) (param $b i64) (param $c i32) (result i64)
    (local.get $a)
    (i64.add (local.get $b) (i64.const 1))
    (local.get $a)
    (local.set $a (i64.const 0))
    (block
      (br_if 0 (local.get $c))
      (local.set $b (i64.const 9)))
    (i64.sub)
    (i64.mul))

  ;; The same with floats, three copies, and a loop.
  (func (export "float copies") (param $a f64) (param $n i32) (result f64)
    (local.get $a)
    (f64.add (local.get $a) (f64.const 0.5))
    (local.get $a)
    (f64.mul (local.get $a) (f64.const 2))
    (local.get $a)
    (local.set $a (f64.const 7))
    (loop
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      (br_if 0 (i32.gt_s (local.get $n) (i32.const 0))))
    (f64.sub)
    (f64.sub)
    (f64.sub)
    (f64.sub))

  ;; The result of a block becomes a local and stays an operand, below another block that sets the local.
  (func (export "tee") (param $a i64) (param $c i32) (result i64)
    (block (result i64)
      (i64.add (local.get $a) (i64.const 10)))
    (local.tee $a)
    (block
      (br_if 0 (local.get $c))
      (local.set $a (i64.const 3))
      (br_if 0 (i32.eqz (local.get $c)))
      (unreachable))
    (local.get $a)
    (i64.sub)))

(assert_return (invoke "copies" (i64.const 5) (i64.const 7) (i32.const 0)) (i64.const 15))
(assert_return (invoke "copies" (i64.const 5) (i64.const 7) (i32.const 1)) (i64.const 15))
(assert_return (invoke "float copies" (f64.const 3) (i32.const 4)) (f64.const -0.5))
(assert_return (invoke "tee" (i64.const 1) (i32.const 0)) (i64.const 8))
(assert_return (invoke "tee" (i64.const 1) (i32.const 1)) (i64.const 0))
