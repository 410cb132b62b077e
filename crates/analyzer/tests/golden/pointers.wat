;; A pointer runs to an end, eight bytes at a time; unrolled by two beside it.
(module
  (memory 1)
  (func (export "_start") (local $p i32) (local $end i32) (local $s f64)
    (local.set $p (i32.const 1024))
    (local.set $end (i32.add (local.get $p) (i32.const 8000)))
    (loop $l
      (local.set $s (f64.add (local.get $s) (f64.load (local.get $p))))
      (br_if $l (i32.ne (local.tee $p (i32.add (local.get $p) (i32.const 8))) (local.get $end))))
    (local.set $p (i32.const 0))
    (loop $m
      (f64.store (i32.const 0) (f64.mul (f64.load (local.get $p)) (f64.load offset=8 (local.get $p))))
      (br_if $m (i32.lt_u (local.tee $p (i32.add (local.get $p) (i32.const 16))) (i32.const 32000))))))
;; ---- expected ----
;; wasm-module, entry "_start", input dependent: false
;; ops 40009
;;   const 7003
;;   local 14004
;;   int_alu 6001
;;   float_add 1000
;;   float_mul 2000
;;   load 5000
;;   store 2000
;;   branch 3000
;; bytes: loaded 40000, stored 16000, bulk 0
;; memory 65536, maximum none, peak 65536
;; parallelism Serial
;; isa 
;; Function _start depth 0 share 1.000 trips unknown = -, Unknown
;; Loop _start depth 1 share 0.700 trips 2000 = -, Carried
;;   accesses: 2 contiguous, 0 strided, 1 invariant, 0 indirect; strides [16]; footprint 32000, traffic 48000
;; Loop _start depth 1 share 0.300 trips 1000 = -, Reduction simd
;;   accumulates float sum
;;   accesses: 1 contiguous, 0 strided, 0 invariant, 0 indirect; strides [8]; footprint 8000, traffic 8000
;;   simd: iterations are free of each other and go through memory one element after the other; adding floats in another order changes the last digits
