;; A triple nest with constant bounds, and pointers that move in the inner loop.
(module
  (memory 16)
  (func (export "_start") (local $i i32) (local $j i32) (local $k i32) (local $a i32) (local $b i32) (local $s f64)
    (loop $li
      (local.set $j (i32.const 0))
      (loop $lj
        (local.set $k (i32.const 64))
        (local.set $a (i32.mul (local.get $i) (i32.const 512)))
        (local.set $b (i32.shl (local.get $j) (i32.const 3)))
        (local.set $s (f64.const 0))
        (loop $lk
          (local.set $s (f64.add (local.get $s)
            (f64.mul (f64.load (local.get $a)) (f64.load offset=32768 (local.get $b)))))
          (local.set $a (i32.add (local.get $a) (i32.const 8)))
          (local.set $b (i32.add (local.get $b) (i32.const 512)))
          (br_if $lk (local.tee $k (i32.sub (local.get $k) (i32.const 1)))))
        (f64.store offset=65536 (i32.add (i32.shl (local.get $i) (i32.const 9)) (i32.shl (local.get $j) (i32.const 3)))
          (local.get $s))
        (br_if $lj (i32.ne (local.tee $j (i32.add (local.get $j) (i32.const 1))) (i32.const 64))))
      (br_if $li (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 64))))))
;; ---- expected ----
;; wasm-module, entry "_start", input dependent: false
;; ops 5620289
;;   const 819392
;;   local 2666688
;;   int_alu 811136
;;   int_mul 4096
;;   float_add 262144
;;   float_mul 262144
;;   load 524288
;;   store 4096
;;   branch 266304
;; bytes: loaded 4194304, stored 32768, bulk 0
;; memory 1048576, maximum none, peak 1048576
;; parallelism DataParallel
;; isa 
;; Function _start depth 0 share 1.000 trips unknown = -, Unknown
;; Loop _start depth 1 share 1.000 trips 64 = -, Independent threads
;;   accesses: 0 contiguous, 2 strided, 1 invariant, 0 indirect; strides [512]; footprint 98304, traffic 4227072
;;   threads: its iterations are free of each other and long enough to share out
;; Loop _start depth 2 share 1.000 trips 64 = -, Independent
;;   accesses: 2 contiguous, 0 strided, 1 invariant, 0 indirect; strides [8]; footprint 33792, traffic 4227072
;; Loop _start depth 3 share 0.979 trips 64 = -, Reduction tensor
;;   accumulates float sum
;;   accesses: 1 contiguous, 1 strided, 0 invariant, 0 indirect; strides [8, 512]; footprint 1024, traffic 4194304
;;   tensor: a nest that multiplies and accumulates
