;; A ray tracer for the terminal: mirrored spheres at dusk, in 24-bit colour, two pixels a character.
;;   cargo run --release -- run examples/spheres.wat
;; A vector or colour is an f32x4 whose fourth lane is free: a sphere keeps its radius there, and its colour's mirror share.
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param $fd i32) (param $iovs i32) (param $count i32) (param $written i32) (result i32)))

  ;; 0: an iovec; 8: bytes written; 64: spheres, 32 bytes each; 1024: fixed text; 4096: the text of one line.
  (memory (export "memory") 1)
  (data (i32.const 1024) "\1b[38;2;;48;2;m\e2\96\80\1b[0m\n")

  (global $width i32 (i32.const 80))
  (global $height i32 (i32.const 46))
  (global $spheres i32 (i32.const 6))
  (global $end (mut i32) (i32.const 4096)) ;; where the next byte of text goes
  (global $sun v128 (v128.const f32x4 -0.2783 0.1095 0.9542 0)) ;; where it glows in the sky
  (global $lamp v128 (v128.const f32x4 -0.5571 0.6964 -0.4526 0)) ;; where the light on things comes from

  ;; Vectors

  (func $dot (param $a v128) (param $b v128) (result f32)
    (local $p v128)
    (local.set $p (f32x4.mul (local.get $a) (local.get $b)))
    (f32.add (f32x4.extract_lane 0 (local.get $p))
      (f32.add (f32x4.extract_lane 1 (local.get $p)) (f32x4.extract_lane 2 (local.get $p)))))

  (func $scale (param $a v128) (param $k f32) (result v128)
    (f32x4.mul (local.get $a) (f32x4.splat (local.get $k))))

  (func $unit (param $a v128) (result v128)
    (call $scale (local.get $a)
      (f32.div (f32.const 1) (f32.sqrt (call $dot (local.get $a) (local.get $a))))))

  ;; a + (b - a) k
  (func $blend (param $a v128) (param $b v128) (param $k f32) (result v128)
    (f32x4.add (local.get $a) (call $scale (f32x4.sub (local.get $b) (local.get $a)) (local.get $k))))

  ;; x to the power of 2^n
  (func $power (param $x f32) (param $n i32) (result f32)
    (loop $again
      (local.set $x (f32.mul (local.get $x) (local.get $x)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $x))

  ;; The scene

  (func $place (param $i i32) (param $sphere v128) (param $colour v128)
    (v128.store offset=64 (i32.shl (local.get $i) (i32.const 5)) (local.get $sphere))
    (v128.store offset=80 (i32.shl (local.get $i) (i32.const 5)) (local.get $colour)))

  (func $build
    (call $place (i32.const 0) (v128.const f32x4 0.0 1.25 6.2 1.25) (v128.const f32x4 0.95 0.95 1.0 0.82))
    (call $place (i32.const 1) (v128.const f32x4 -2.35 0.85 5.2 0.85) (v128.const f32x4 1.0 0.25 0.15 0.30))
    (call $place (i32.const 2) (v128.const f32x4 2.3 0.95 5.4 0.95) (v128.const f32x4 0.1 0.65 0.75 0.35))
    (call $place (i32.const 3) (v128.const f32x4 -0.95 0.4 4.0 0.4) (v128.const f32x4 1.0 0.72 0.15 0.40))
    (call $place (i32.const 4) (v128.const f32x4 1.0 0.32 3.8 0.32) (v128.const f32x4 0.75 0.2 0.9 0.35))
    (call $place (i32.const 5) (v128.const f32x4 4.9 1.1 9.5 1.1) (v128.const f32x4 0.3 0.85 0.35 0.30)))

  ;; The colour of the sky that way: from the glow at the horizon up into the night, and the sun.
  (func $sky (param $way v128) (result v128)
    (local $up f32) (local $near f32)
    (local.set $up (f32.max (f32.const 0) (f32x4.extract_lane 1 (local.get $way))))
    (local.set $near (f32.max (f32.const 0) (call $dot (local.get $way) (global.get $sun))))
    (f32x4.add
      (call $blend (v128.const f32x4 0.80 0.27 0.13 0) (v128.const f32x4 0.008 0.02 0.14 0)
        (f32.sub (f32.const 1) (call $power (f32.sub (f32.const 1) (f32.min (f32.const 1) (local.get $up))) (i32.const 2))))
      (f32x4.add
        (call $scale (v128.const f32x4 0.75 0.40 0.08 0) (call $power (local.get $near) (i32.const 5)))
        (call $scale (v128.const f32x4 2.5 2.1 1.2 0) (call $power (local.get $near) (i32.const 11))))))

  ;; How far along the ray sphere i is; infinity if it is missed.
  (func $reach (param $i i32) (param $from v128) (param $way v128) (result f32)
    (local $sphere v128) (local $to v128) (local $middle f32) (local $gap f32)
    (local.set $sphere (v128.load offset=64 (i32.shl (local.get $i) (i32.const 5))))
    (local.set $to (f32x4.sub (local.get $sphere) (local.get $from)))
    (local.set $middle (call $dot (local.get $to) (local.get $way)))
    (local.set $gap
      (f32.add (f32.mul (local.get $middle) (local.get $middle))
        (f32.sub (call $power (f32x4.extract_lane 3 (local.get $sphere)) (i32.const 1)) (call $dot (local.get $to) (local.get $to)))))
    (if (f32.lt (local.get $gap) (f32.const 0)) (then (return (f32.const inf))))
    (local.set $middle (f32.sub (local.get $middle) (f32.sqrt (local.get $gap))))
    (select (local.get $middle) (f32.const inf) (f32.gt (local.get $middle) (f32.const 0.003))))

  ;; What the ray meets first, and how far away: a sphere's number, -1 for the floor, -2 for the sky.
  (func $meet (param $from v128) (param $way v128) (result i32 f32)
    (local $i i32) (local $found i32) (local $best f32) (local $far f32)
    (local.set $found (i32.const -2))
    (local.set $best (f32.const inf))
    (local.set $far (f32.neg (f32.div (f32x4.extract_lane 1 (local.get $from)) (f32x4.extract_lane 1 (local.get $way)))))
    (if (i32.and (f32.gt (local.get $far) (f32.const 0.003)) (f32.lt (local.get $far) (f32.const 500)))
      (then (local.set $found (i32.const -1)) (local.set $best (local.get $far))))
    (loop $again
      (local.set $far (call $reach (local.get $i) (local.get $from) (local.get $way)))
      (if (f32.lt (local.get $far) (local.get $best))
        (then (local.set $found (local.get $i)) (local.set $best (local.get $far))))
      (br_if $again (i32.lt_s (local.tee $i (i32.add (local.get $i) (i32.const 1))) (global.get $spheres))))
    (local.get $found) (local.get $best))

  ;; The checkered floor's colour there, with its mirror share.
  (func $floor (param $at v128) (result v128)
    (local $cell v128)
    (local.set $cell (i32x4.trunc_sat_f32x4_s (f32x4.floor (f32x4.add (local.get $at) (v128.const f32x4 0.35 0 0 0)))))
    (select (v128.const f32x4 0.55 0.52 0.56 0.12) (v128.const f32x4 0.035 0.03 0.06 0.30)
      (i32.and (i32.const 1) (i32.add (i32x4.extract_lane 0 (local.get $cell)) (i32x4.extract_lane 2 (local.get $cell))))))

  ;; The light that comes back along a ray, followed through at most five mirrors.
  (func $trace (param $from v128) (param $way v128) (result v128)
    (local $light v128) (local $weight f32) (local $what i32) (local $far f32) (local $depth i32)
    (local $normal v128) (local $colour v128) (local $mirror f32) (local $lit f32) (local $shine f32) (local $own v128)
    (local.set $weight (f32.const 1))
    (loop $again
      (call $meet (local.get $from) (local.get $way))
      (local.set $far)
      (local.set $what)
      (if (i32.eq (local.get $what) (i32.const -2))
        (then (return (f32x4.add (local.get $light) (call $scale (call $sky (local.get $way)) (local.get $weight))))))
      (local.set $from (f32x4.add (local.get $from) (call $scale (local.get $way) (local.get $far))))
      (if (i32.eq (local.get $what) (i32.const -1))
        (then
          (local.set $normal (v128.const f32x4 0 1 0 0))
          (local.set $colour (call $floor (local.get $from))))
        (else
          (local.set $what (i32.shl (local.get $what) (i32.const 5)))
          (local.set $normal (call $unit (f32x4.sub (local.get $from) (v128.load offset=64 (local.get $what)))))
          (local.set $colour (v128.load offset=80 (local.get $what)))))
      (local.set $way (f32x4.sub (local.get $way)
        (call $scale (local.get $normal) (f32.mul (f32.const 2) (call $dot (local.get $way) (local.get $normal))))))
      ;; In the lamp's light, and with a highlight, unless something stands between.
      (local.set $lit (f32.max (f32.const 0) (call $dot (local.get $normal) (global.get $lamp))))
      (local.set $shine (call $power (f32.max (f32.const 0) (call $dot (local.get $way) (global.get $lamp))) (i32.const 6)))
      (call $meet (local.get $from) (global.get $lamp))
      (drop)
      (if (i32.ne (i32.const -2)) (then (local.set $lit (f32.const 0)) (local.set $shine (f32.const 0))))
      (local.set $mirror (f32x4.extract_lane 3 (local.get $colour)))
      (local.set $own
        (f32x4.mul (local.get $colour)
          (f32x4.add (v128.const f32x4 0.10 0.09 0.17 0) (call $scale (v128.const f32x4 1.05 0.98 0.90 0) (local.get $lit)))))
      ;; The floor fades into the horizon.
      (local.set $far (f32.mul (local.get $far) (local.get $far)))
      (if (i32.eq (local.get $what) (i32.const -1))
        (then (local.set $own (call $blend (local.get $own) (call $sky (local.get $way))
          (f32.div (local.get $far) (f32.add (local.get $far) (f32.const 700)))))))
      (local.set $light (f32x4.add (local.get $light) (f32x4.splat (f32.mul (local.get $weight) (local.get $shine)))))
      (local.set $light (f32x4.add (local.get $light)
        (call $scale (local.get $own) (f32.mul (local.get $weight) (f32.sub (f32.const 1) (local.get $mirror))))))
      (local.set $weight (f32.mul (local.get $weight) (local.get $mirror)))
      (br_if $again (i32.lt_s (local.tee $depth (i32.add (local.get $depth) (i32.const 1))) (i32.const 5))))
    (local.get $light))

  ;; The picture

  ;; One pixel as three integers from 0 to 255: the mean of 4 x 4 rays, its square root for the screen.
  (func $pixel (param $x i32) (param $y i32) (result v128)
    (local $i i32) (local $sum v128)
    (loop $again
      (local.set $sum (f32x4.add (local.get $sum)
        (call $trace (v128.const f32x4 0 1.35 -1.2 0)
          (call $unit
            (f32x4.replace_lane 1
              (f32x4.replace_lane 0 (v128.const f32x4 0 0 1 0)
                (f32.div
                  (f32.add (f32.convert_i32_s (i32.sub (local.get $x) (i32.shr_u (global.get $width) (i32.const 1))))
                    (f32.mul (f32.const 0.25) (f32.convert_i32_s (i32.and (local.get $i) (i32.const 3)))))
                  (f32.const 68)))
              (f32.div
                (f32.sub (f32.convert_i32_s (i32.sub (i32.shr_u (global.get $height) (i32.const 1)) (local.get $y)))
                  (f32.mul (f32.const 0.25) (f32.convert_i32_s (i32.shr_u (local.get $i) (i32.const 2)))))
                (f32.const 68)))))))
      (br_if $again (i32.lt_s (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 16))))
    (i32x4.trunc_sat_f32x4_u
      (f32x4.min (f32x4.splat (f32.const 255))
        (call $scale (f32x4.sqrt (call $scale (local.get $sum) (f32.const 0.0625))) (f32.const 255)))))

  ;; Appends `size` bytes of the fixed text.
  (func $text (param $from i32) (param $size i32)
    (memory.copy (global.get $end) (local.get $from) (local.get $size))
    (global.set $end (i32.add (global.get $end) (local.get $size))))

  ;; Appends a number, at least one digit.
  (func $number (param $n i32)
    (if (i32.ge_u (local.get $n) (i32.const 10)) (then (call $number (i32.div_u (local.get $n) (i32.const 10)))))
    (i32.store8 (global.get $end) (i32.add (i32.const 48) (i32.rem_u (local.get $n) (i32.const 10))))
    (global.set $end (i32.add (global.get $end) (i32.const 1))))

  ;; Appends a colour: three numbers with semicolons between them.
  (func $colour (param $c v128)
    (call $number (i32x4.extract_lane 0 (local.get $c)))
    (call $text (i32.const 1031) (i32.const 1))
    (call $number (i32x4.extract_lane 1 (local.get $c)))
    (call $text (i32.const 1031) (i32.const 1))
    (call $number (i32x4.extract_lane 2 (local.get $c))))

  ;; Writes the line out, in as many pieces as the host likes, and empties it.
  (func $flush
    (local $at i32)
    (local.set $at (i32.const 4096))
    (loop $again
      (i32.store (i32.const 0) (local.get $at))
      (i32.store (i32.const 4) (i32.sub (global.get $end) (local.get $at)))
      ;; A reader that has gone away ends the program.
      (if (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)) (then (call $exit (i32.const 1))))
      (br_if $again (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.load (i32.const 8)))) (global.get $end))))
    (global.set $end (i32.const 4096)))

  (func (export "_start")
    (local $x i32) (local $y i32)
    (call $build)
    (loop $line
      (local.set $x (i32.const 0))
      (loop $column
        (call $text (i32.const 1024) (i32.const 7)) ;; ESC [38;2;
        (call $colour (call $pixel (local.get $x) (local.get $y)))
        (call $text (i32.const 1031) (i32.const 6)) ;; ;48;2;
        (call $colour (call $pixel (local.get $x) (i32.add (local.get $y) (i32.const 1))))
        (call $text (i32.const 1037) (i32.const 4)) ;; m and an upper half block
        (br_if $column (i32.lt_u (local.tee $x (i32.add (local.get $x) (i32.const 1))) (global.get $width))))
      (call $text (i32.const 1041) (i32.const 5)) ;; ESC [0m and a line feed
      (call $flush)
      (br_if $line (i32.lt_u (local.tee $y (i32.add (local.get $y) (i32.const 2))) (global.get $height))))))
