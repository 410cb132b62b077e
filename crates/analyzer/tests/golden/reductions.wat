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
  (func $records (result i32) (local $i i32) (local $m i32) (local $x i32) (local $n i32) (local $c i32)
    ;; How often a new largest is met depends on the order, though the largest does not.
    (loop $l
      (local.set $x (i32.load (local.get $i)))
      (local.set $c (i32.gt_s (local.get $x) (local.get $m)))
      (local.set $m (select (local.get $x) (local.get $m) (local.get $c)))
      (local.set $n (i32.add (local.get $n) (local.get $c)))
      (br_if $l (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 4))) (i32.const 16000))))
    (i32.add (local.get $n) (local.get $m)))
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
    (drop (call $sum)) (drop (call $dot)) (drop (call $largest)) (drop (call $records)) (drop (call $last_where)) (call $prefix)
    (drop (call $conditional)) (call $in_memory) (call $in_global)))
;; ---- expected ----
;; wasm-module, entry "_start", input dependent: false
;; ops 5.68e5 (5.50e5 to 5.86e5)
;;   const 9.20e4 (9.09e4 to 9.31e4)
;;   local 2.42e5 (2.39e5 to 2.45e5)
;;   global 8.00e3 (7.91e3 to 8.09e3)
;;   int_alu 1.22e5 (1.21e5 to 1.23e5)
;;   float_add 8.00e3 (7.91e3 to 8.09e3)
;;   float_mul 4.00e3 (3.95e3 to 4.05e3)
;;   load 4.40e4 (4.35e4 to 4.45e4)
;;   store 8.00e3 (7.91e3 to 8.09e3)
;;   branch 4.00e4 (3.95e4 to 4.05e4)
;;   call 9.00e0 (8.90e0 to 9.10e0)
;; bytes: loaded 2.56e5 (2.53e5 to 2.59e5), stored 4.80e4 (4.74e4 to 4.86e4), bulk 0
;; memory 262144, maximum none, peak 262144
;; parallelism Serial
;; isa 
;; Function _start depth 0 share 1.000 trips unknown = -, Unknown
;; Function records depth 0 share 0.162 trips unknown = -, Unknown
;; Loop records depth 1 share 0.162 trips 4000 = -, Carried
;;   accumulates sum
;;   accesses: 1 contiguous, 0 strided, 0 invariant, 0 indirect; strides [4]; footprint 16000, traffic 16000
;; Function largest depth 0 share 0.120 trips unknown = -, Unknown
;; Function last_where depth 0 share 0.120 trips unknown = -, Unknown
;; Loop largest depth 1 share 0.120 trips 4000 = -, Reduction simd
;;   accumulates minimum or maximum
;;   accesses: 1 contiguous, 0 strided, 0 invariant, 0 indirect; strides [4]; footprint 16000, traffic 16000
;;   simd: iterations are free of each other and go through memory one element after the other
;; Loop last_where depth 1 share 0.120 trips 4000 = -, Carried
;;   accesses: 1 contiguous, 0 strided, 0 invariant, 0 indirect; strides [4]; footprint 16000, traffic 16000
;; Function dot depth 0 share 0.106 trips unknown = -, Unknown
;; Function conditional depth 0 share 0.106 trips unknown = -, Unknown
;; Function prefix depth 0 share 0.106 trips unknown = -, Unknown
;; Loop dot depth 1 share 0.106 trips 4000 = -, Reduction simd tensor
;;   accumulates float sum
;;   accesses: 2 contiguous, 0 strided, 0 invariant, 0 indirect; strides [8]; footprint 64000, traffic 64000
;;   simd: iterations are free of each other and go through memory one element after the other; adding floats in another order changes the last digits
;;   tensor: a dot product
;; Loop prefix depth 1 share 0.106 trips 4000 = -, Carried
;;   accesses: 2 contiguous, 0 strided, 0 invariant, 0 indirect; strides [4]; footprint 32000, traffic 32000
