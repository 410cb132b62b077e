;; A triple nest bounded by a number from outside: a wide interval with a high end.
(module
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $sizes (param i32 i32) (result i32)))
  (memory 1)
  (func (export "_start") (local $n i32) (local $i i32) (local $j i32) (local $k i32)
    (local.set $n (call $sizes (i32.const 0) (i32.const 4)))
    (loop $li
      (local.set $j (i32.const 0))
      (loop $lj
        (local.set $k (i32.const 0))
        (loop $lk
          (br_if $lk (i32.lt_s (local.tee $k (i32.add (local.get $k) (i32.const 1))) (local.get $n))))
        (br_if $lj (i32.lt_s (local.tee $j (i32.add (local.get $j) (i32.const 1))) (local.get $n))))
      (br_if $li (i32.lt_s (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))))
;; ---- expected ----
;; wasm-module, entry "_start", input dependent: true
;; ops 1.61e8 (6.40e2 to 1.26e9)
;;   const 2.30e7 (9.15e1 to 1.80e8)
;;   local 6.88e7 (2.74e2 to 5.41e8)
;;   int_alu 4.59e7 (1.83e2 to 3.60e8)
;;   branch 2.29e7 (9.13e1 to 1.80e8)
;;   call 1.00e0 (3.98e-6 to 7.85e0)
;; bytes: loaded 0, stored 0, bulk 0
;; memory 65536, maximum none, peak 65536
;; parallelism DataParallel
;; io Process wasi_snapshot_preview1.args_sizes_get 1
;; isa 
;; Function _start depth 0 share 1.000 trips unknown = -, Unknown
;; Loop _start depth 1 share 1.000 trips 1.63e2 (3.64e0 to 6.15e2) = -, Independent threads gpu
;;   threads: its iterations are free of each other and long enough to share out
;;   gpu: a large space of iterations free of each other, with much arithmetic for each byte to be moved there
;; Loop _start depth 2 share 1.000 trips 1.63e2 (3.64e0 to 6.15e2) = -, Independent
;; Loop _start depth 3 share 0.997 trips 1.63e2 (3.64e0 to 6.15e2) = -, Independent
;; warning: trip counts that the code does not tell: the operator count may lie anywhere from 6.4e2 to 1.3e9
