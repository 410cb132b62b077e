;; An inner loop whose step is the outer variable, behind a test of data.
(module
  (memory 1)
  (func (export "_start") (local $i i32) (local $j i32)
    (local.set $i (i32.const 2))
    (loop $l
      (block $next
        (br_if $next (i32.load8_u (local.get $i)))
        (local.set $j (i32.mul (local.get $i) (local.get $i)))
        (loop $m
          (i32.store8 (local.get $j) (i32.const 1))
          (br_if $m (i32.lt_u (local.tee $j (i32.add (local.get $j) (local.get $i))) (i32.const 50000)))))
      (br_if $l (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 224))))))
;; ---- expected ----
;; wasm-module, entry "_start", input dependent: true
;; ops 1.79e6 (1.87e5 to 2.17e6)
;;   const 3.57e5 (3.96e4 to 4.10e5)
;;   local 7.15e5 (7.91e4 to 8.20e5)
;;   int_alu 3.57e5 (3.96e4 to 4.10e5)
;;   int_mul 1.88e2 (2.08e1 to 2.16e2)
;;   load 2.33e2 (2.58e1 to 2.67e2)
;;   store 1.78e5 (1.97e4 to 2.05e5)
;;   branch 1.79e5 (1.98e4 to 2.05e5)
;; bytes: loaded 2.33e2 (2.58e1 to 2.67e2), stored 1.78e5 (1.97e4 to 2.05e5), bulk 0
;; memory 65536, maximum none, peak 65536
;; parallelism Serial
;; isa 
;; Function _start depth 0 share 1.000 trips unknown = -, Unknown
;; Loop _start depth 1 share 1.000 trips 222 = -, Unknown
;;   independent if addresses computed from data do not meet what it writes
;;   accesses: 1 contiguous, 0 strided, 0 invariant, 1 indirect; strides [1]; footprint 8.91e3 (2.24e2 to 1.24e5), traffic 1.79e5 (1.98e4 to 2.05e5)
;; Loop _start depth 2 share 0.998 trips 9.54e2 (8.85e2 to 1.02e3) = -, Unknown
;;   accesses: 0 contiguous, 1 strided, 0 invariant, 0 indirect; strides []; footprint 1.02e2 (1.44e0 to 7.00e2), traffic 1.78e5 (1.96e4 to 2.05e5)
;; warning: trip counts that the code does not tell: the operator count may lie anywhere from 1.9e5 to 2.2e6
