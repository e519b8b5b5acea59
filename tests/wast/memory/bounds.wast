;; Accesses around the ends of a memory, of 32 and of 64 bits, with every static offset that may wrap.

(module
  (memory 1)
  (func (export "load") (param i32) (result i32) (i32.load (local.get 0)))
  (func (export "load-far") (param i32) (result i32) (i32.load offset=0xffff_fffc (local.get 0)))
  (func (export "load8") (param i32) (result i32) (i32.load8_u (local.get 0)))
  (func (export "store16") (param i32) (i32.store16 (local.get 0) (i32.const 0x1234)))
  (func (export "v128") (param i32) (result v128) (v128.load (local.get 0)))
  (func (export "grow") (result i32) (memory.grow (i32.const 1))))

(assert_return (invoke "load" (i32.const 65532)) (i32.const 0))
(assert_trap (invoke "load" (i32.const 65533)) "out of bounds memory access")
(assert_trap (invoke "load" (i32.const -1)) "out of bounds memory access")
(assert_trap (invoke "load-far" (i32.const 0)) "out of bounds memory access")
(assert_trap (invoke "load-far" (i32.const 4)) "out of bounds memory access")
(assert_trap (invoke "load-far" (i32.const -1)) "out of bounds memory access")
(assert_return (invoke "load8" (i32.const 65535)) (i32.const 0))
(assert_trap (invoke "load8" (i32.const 65536)) "out of bounds memory access")
(assert_trap (invoke "store16" (i32.const 65535)) "out of bounds memory access")
;; A store that traps has written nothing.
(assert_return (invoke "load8" (i32.const 65535)) (i32.const 0))
(assert_return (invoke "v128" (i32.const 65520)) (v128.const i64x2 0 0))
(assert_trap (invoke "v128" (i32.const 65521)) "out of bounds memory access")
(assert_return (invoke "grow") (i32.const 1))
(assert_return (invoke "load" (i32.const 65533)) (i32.const 0))
(assert_trap (invoke "load" (i32.const 131069)) "out of bounds memory access")

(module
  (memory i64 1)
  (func (export "load") (param i64) (result i32) (i32.load (local.get 0)))
  (func (export "load-far") (param i64) (result i32) (i32.load offset=0xffff_ffff_ffff_fffc (local.get 0))))

(assert_return (invoke "load" (i64.const 65532)) (i32.const 0))
(assert_trap (invoke "load" (i64.const 65533)) "out of bounds memory access")
(assert_trap (invoke "load" (i64.const -4)) "out of bounds memory access")
(assert_trap (invoke "load" (i64.const 0x1_0000_0000)) "out of bounds memory access")
(assert_trap (invoke "load-far" (i64.const 0)) "out of bounds memory access")
(assert_trap (invoke "load-far" (i64.const 4)) "out of bounds memory access")
