;; Dependence that hangs on where arrays lie: unknown, with the condition under which there is none.
(module
  (memory 64)
  (func $scale (param $to i32) (param $from i32) (param $n i32) (local $i i32)
    (loop $l
      (f64.store (i32.add (local.get $to) (i32.shl (local.get $i) (i32.const 3)))
        (f64.mul (f64.load (i32.add (local.get $from) (i32.shl (local.get $i) (i32.const 3)))) (f64.const 2)))
      (br_if $l (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n)))))
  (func $rows (param $to i32) (param $n i32) (local $i i32) (local $j i32)
    ;; One row after the other of a square matrix: rows of n elements lie n elements apart.
    (loop $li
      (local.set $j (i32.const 0))
      (loop $lj
        (i32.store
          (i32.add (local.get $to)
            (i32.shl (i32.add (i32.mul (local.get $i) (local.get $n)) (local.get $j)) (i32.const 2)))
          (local.get $j))
        (br_if $lj (i32.ne (local.tee $j (i32.add (local.get $j) (i32.const 1))) (local.get $n))))
      (br_if $li (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n)))))
  (func $histogram (local $i i32) (local $a i32)
    (loop $l
      (i32.store offset=4096
        (local.tee $a (i32.shl (i32.load8_u (local.get $i)) (i32.const 2)))
        (i32.add (i32.load offset=4096 (local.get $a)) (i32.const 1)))
      (br_if $l (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 4096)))))
  (func $find (param $from i32) (result i32) (local $i i32)
    (loop $l
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $l (i32.load8_u (i32.add (local.get $from) (local.get $i)))))
    (local.get $i))
  (func (export "_start") (param $a i32) (param $n i32)
    (call $scale (local.get $a) (i32.const 65536) (local.get $n))
    (call $rows (local.get $a) (local.get $n))
    (call $histogram)
    (drop (call $find (local.get $a)))))
;; ---- expected ----
;; wasm-module, entry "_start", input dependent: true
;; ops 7.79e4 (6.58e4 to 4.60e5)
;;   const 1.49e4 (1.34e4 to 8.32e4)
;;   local 2.70e4 (2.42e4 to 1.51e5)
;;   int_alu 1.95e4 (1.75e4 to 1.09e5)
;;   int_mul 1.51e3 (1.36e3 to 8.43e3)
;;   load 5.94e3 (5.32e3 to 3.31e4)
;;   store 4.48e3 (4.02e3 to 2.50e4)
;;   branch 4.50e3 (4.03e3 to 2.51e4)
;;   call 2.90e0 (2.60e0 to 1.62e1)
;; bytes: loaded 1.48e4 (1.33e4 to 8.27e4), stored 1.79e4 (1.61e4 to 9.99e4), bulk 0
;; memory 4194304, maximum none, peak 4194304
;; parallelism Serial
;; isa 
;; Function _start depth 0 share 1.000 trips unknown = -, Unknown
;; Function histogram depth 0 share 0.644 trips unknown = -, Unknown
;; Loop histogram depth 1 share 0.644 trips 4096 = -, Unknown
;;   independent if addresses computed from data do not meet what it writes
;;   accesses: 1 contiguous, 0 strided, 0 invariant, 2 indirect; strides [1]; footprint 7.63e3 (4.20e3 to 1.68e4), traffic 36864
;; Function rows depth 0 share 0.349 trips unknown = -, Unknown
;; Loop rows depth 1 share 0.349 trips 1.43e1 (1.14e0 to 1.32e2) = p1, Unknown
;;   independent if p1 >= 1
;;   accesses: 0 contiguous, 1 strided, 0 invariant, 0 indirect; strides []; footprint 1.64e3 (5.37e0 to 8.06e4), traffic 1.66e3 (7.61e0 to 8.04e4)
;; Loop rows depth 2 share 0.347 trips 1.43e1 (1.14e0 to 1.32e2) = p1, Independent
;;   accesses: 1 contiguous, 0 strided, 0 invariant, 0 indirect; strides [4]; footprint 5.71e1 (4.56e0 to 5.27e2), traffic 1.64e3 (5.37e0 to 8.06e4)
;; warning: trip counts that the code does not tell: the operator count may lie anywhere from 6.6e4 to 4.6e5
