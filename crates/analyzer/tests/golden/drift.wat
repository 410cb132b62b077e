;; A place in a text that moves on by one, two or three bytes, by which of three ways an iteration goes: it ends after a
;; third of the bytes at the least, after all of them at the most. And one that moves by four or by eight.
(module
  (memory 2)
  (func $encode (result i32) (local $at i32) (local $c i32) (local $by i32)
    (local.set $c (i32.const 1))
    (loop $next
      (local.set $c (i32.add (i32.mul (local.get $c) (i32.const 22695477)) (i32.const 1)))
      (block $done
        (block $two
          (br_if $two (i32.gt_u (i32.shr_u (local.get $c) (i32.const 20)) (i32.const 127)))
          (local.set $by (i32.const 1))
          (br $done))
        (block $three
          (br_if $three (i32.gt_u (i32.shr_u (local.get $c) (i32.const 20)) (i32.const 2047)))
          (local.set $by (i32.const 2))
          (br $done))
        (local.set $by (i32.const 3)))
      (br_if $next
        (i32.lt_u (local.tee $at (i32.add (local.get $at) (local.get $by))) (i32.const 30000))))
    (local.get $at))
  (func $records (param $to i32) (result i32) (local $at i32)
    (loop $next
      (if (i32.load8_u (local.get $at))
        (then (local.set $at (i32.add (local.get $at) (i32.const 4))))
        (else (local.set $at (i32.add (local.get $at) (i32.const 8)))))
      (br_if $next (i32.lt_u (local.get $at) (local.get $to))))
    (local.get $at))
  (func (export "_start")
    (drop (call $encode))
    (drop (call $records (i32.const 40000)))))
;; ---- expected ----
;; wasm-module, entry "_start", input dependent: true
;; ops 4.76e5 (2.76e5 to 8.82e5)
;;   const 1.21e5 (7.57e4 to 2.07e5)
;;   local 1.55e5 (9.73e4 to 2.66e5)
;;   int_alu 1.11e5 (6.99e4 to 1.91e5)
;;   int_mul 1.61e4 (1.01e4 to 2.76e4)
;;   load 6.76e3 (4.24e3 to 1.16e4)
;;   branch 6.54e4 (4.10e4 to 1.12e5)
;;   call 1.95e0 (1.22e0 to 3.35e0)
;; bytes: loaded 6.76e3 (4.24e3 to 1.16e4), stored 0, bulk 0
;; memory 131072, maximum none, peak 131072
;; parallelism Serial
;; isa 
;; Function _start depth 0 share 1.000 trips unknown = -, Unknown
;; Function encode depth 0 share 0.844 trips unknown = -, Unknown
;; Loop encode depth 1 share 0.844 trips 1.61e4 (1.03e4 to 2.73e4) = -, Carried branchy
;;   branchy: it decides at every turn: a core that predicts branches well helps, vectors hardly
;; Function records depth 0 share 0.156 trips unknown = -, Unknown
;; Loop records depth 1 share 0.156 trips 6.87e3 (5.13e3 to 9.53e3) = -, Carried branchy
;;   accesses: 0 contiguous, 0 strided, 0 invariant, 1 indirect; strides []; footprint 5.44e2 (1.62e0 to 3.83e3), traffic 6.87e3 (5.13e3 to 9.53e3)
;;   branchy: it decides at every turn: a core that predicts branches well helps, vectors hardly
;; warning: trip counts that the code does not tell: the operator count may lie anywhere from 2.8e5 to 8.8e5
