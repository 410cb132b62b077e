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
;; ops 1.44e8 (5.90e1 to 2.93e9)
;;   const 2.06e7 (8.94e0 to 3.95e8)
;;   local 6.17e7 (2.68e1 to 1.18e9)
;;   int_alu 4.11e7 (1.79e1 to 7.89e8)
;;   branch 2.06e7 (8.94e0 to 3.95e8)
;;   call 3.07e-2 (1.33e-8 to 5.89e-1)
;; bytes: loaded 0, stored 0, bulk 0
;; memory 65536, maximum none, peak 65536
;; parallelism Serial
;; io Process wasi_snapshot_preview1.args_sizes_get 1
;; isa 
;; Function _start depth 0 share 1.000 trips unknown = -, Unknown
;; Loop _start depth 1 share 1.000 trips 3.89e2 (1.58e0 to 3.33e3) = -, Independent gpu
;;   gpu: a large space of iterations free of each other, with much arithmetic for each byte to be moved there
;; Loop _start depth 2 share 1.000 trips 3.89e2 (1.58e0 to 3.33e3) = -, Independent
;; Loop _start depth 3 share 1.000 trips 3.89e2 (1.58e0 to 3.33e3) = -, Independent
;; warning: trip counts that the code does not tell: the operator count may lie anywhere from 5.9e1 to 2.9e9
