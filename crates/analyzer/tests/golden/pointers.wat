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
;;   const 7.003e3
;;   local 1.400e4
;;   int_alu 6.001e3
;;   float_add 1.000e3
;;   float_mul 2.000e3
;;   load 5.000e3
;;   store 2.000e3
;;   branch 3.000e3
;; bytes: loaded 4.000e4, stored 1.600e4, bulk 0
;; memory 65536, maximum none, peak 65536
;; parallelism Serial
;; isa 
;; Function _start depth 0 share 1.000 trips unknown = -, Unknown
;; Loop _start depth 1 share 0.700 trips 2000 = -, Unknown
;; Loop _start depth 1 share 0.300 trips 1000 = -, Unknown
