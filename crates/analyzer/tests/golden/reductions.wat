;; What loops accumulate, and what only looks like it.
(module
  (memory 4)
  (global $count (mut i32) (i32.const 0))
  (func $sum (result i64) (local $i i32) (local $s i64)
    (loop $l
      (local.set $s (i64.add (local.get $s) (i64.load (i32.shl (local.get $i) (i32.const 3)))))
      (br_if $l (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 4000))))
    (local.get $s))
  (func $dot (result f64) (local $i i32) (local $s f64)
    (loop $l
      (local.set $s (f64.add (local.get $s) (f64.mul (f64.load (local.get $i)) (f64.load offset=32768 (local.get $i)))))
      (br_if $l (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 8))) (i32.const 32000))))
    (local.get $s))
  (func $largest (result i32) (local $i i32) (local $m i32) (local $x i32)
    (loop $l
      (local.set $x (i32.load (local.get $i)))
      (local.set $m (select (local.get $x) (local.get $m) (i32.gt_s (local.get $x) (local.get $m))))
      (br_if $l (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 4))) (i32.const 16000))))
    (local.get $m))
  (func $last_where (result i32) (local $i i32) (local $m i32) (local $x i32)
    ;; A choice, but not on a comparison with what is kept.
    (loop $l
      (local.set $x (i32.load (local.get $i)))
      (local.set $m (select (local.get $x) (local.get $m) (i32.gt_s (local.get $x) (i32.const 7))))
      (br_if $l (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 4))) (i32.const 16000))))
    (local.get $m))
  (func $prefix (local $i i32) (local $s i32)
    ;; The running sum is stored on the way, so each iteration needs the one before.
    (loop $l
      (local.set $s (i32.add (local.get $s) (i32.load (local.get $i))))
      (i32.store offset=65536 (local.get $i) (local.get $s))
      (br_if $l (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 4))) (i32.const 16000)))))
  (func $conditional (result i32) (local $i i32) (local $s i32) (local $x i32)
    (loop $l
      (if (i32.and (local.tee $x (i32.load (local.get $i))) (i32.const 1))
        (then (local.set $s (i32.add (local.get $s) (local.get $x)))))
      (br_if $l (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 4))) (i32.const 16000))))
    (local.get $s))
  (func $in_memory (local $i i32)
    (loop $l
      (f64.store offset=131072 (i32.const 0)
        (f64.add (f64.load offset=131072 (i32.const 0)) (f64.load (local.get $i))))
      (br_if $l (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 8))) (i32.const 32000)))))
  (func $in_global (local $i i32)
    (loop $l
      (global.set $count (i32.add (global.get $count) (i32.load (local.get $i))))
      (br_if $l (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 4))) (i32.const 16000)))))
  (func (export "_start")
    (drop (call $sum)) (drop (call $dot)) (drop (call $largest)) (drop (call $last_where)) (call $prefix)
    (drop (call $conditional)) (call $in_memory) (call $in_global)))
;; ---- expected ----
;; wasm-module, entry "_start", input dependent: false
;; ops 4.76e5 (4.69e5 to 4.83e5)
;;   const 8.40e4 (8.28e4 to 8.52e4)
;;   local 1.86e5 (1.83e5 to 1.89e5)
;;   global 8.00e3 (7.89e3 to 8.11e3)
;;   int_alu 1.02e5 (1.01e5 to 1.03e5)
;;   float_add 8.00e3 (7.89e3 to 8.11e3)
;;   float_mul 4.00e3 (3.94e3 to 4.06e3)
;;   load 4.00e4 (3.94e4 to 4.06e4)
;;   store 8.00e3 (7.89e3 to 8.11e3)
;;   branch 3.60e4 (3.55e4 to 3.65e4)
;;   call 8.00e0 (7.89e0 to 8.11e0)
;; bytes: loaded 2.40e5 (2.37e5 to 2.43e5), stored 4.80e4 (4.73e4 to 4.87e4), bulk 0
;; memory 262144, maximum none, peak 262144
;; parallelism Serial
;; isa 
;; Function _start depth 0 share 1.000 trips unknown = -, Unknown
;; Function largest depth 0 share 0.143 trips unknown = -, Unknown
;; Function last_where depth 0 share 0.143 trips unknown = -, Unknown
;; Loop largest depth 1 share 0.143 trips 4000 = -, Reduction simd
;;   accumulates minimum or maximum
;;   accesses: 1 contiguous, 0 strided, 0 invariant, 0 indirect; strides [4]; footprint 16000, traffic 16000
;;   simd: iterations are free of each other and go through memory one element after the other
;; Loop last_where depth 1 share 0.143 trips 4000 = -, Carried
;;   accesses: 1 contiguous, 0 strided, 0 invariant, 0 indirect; strides [4]; footprint 16000, traffic 16000
;; Function dot depth 0 share 0.126 trips unknown = -, Unknown
;; Function conditional depth 0 share 0.126 trips unknown = -, Unknown
;; Function prefix depth 0 share 0.126 trips unknown = -, Unknown
;; Loop dot depth 1 share 0.126 trips 4000 = -, Reduction simd tensor
;;   accumulates float sum
;;   accesses: 2 contiguous, 0 strided, 0 invariant, 0 indirect; strides [8]; footprint 64000, traffic 64000
;;   simd: iterations are free of each other and go through memory one element after the other; adding floats in another order changes the last digits
;;   tensor: a dot product
;; Loop prefix depth 1 share 0.126 trips 4000 = -, Carried
;;   accesses: 2 contiguous, 0 strided, 0 invariant, 0 indirect; strides [4]; footprint 32000, traffic 32000
;; Loop conditional depth 1 share 0.126 trips 4000 = -, Reduction simd
;;   accumulates sum
;;   accesses: 1 contiguous, 0 strided, 0 invariant, 0 indirect; strides [4]; footprint 16000, traffic 1.60e4 (1.43e4 to 1.77e4)
;;   simd: iterations are free of each other and go through memory one element after the other
;; Function sum depth 0 share 0.118 trips unknown = -, Unknown
