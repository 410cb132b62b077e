;; Loops that data moves: a place that jumps by what a table says; one that a loop inside moves on; a merge, which moves one
;; of two places at a time; a stack that is worked off; a counter that meets its bound by wrapping around.
(module
  (memory 1)
  (func $jumps (local $at i32)
    (loop
      (br_if 0 (i32.lt_s
        (local.tee $at (i32.add (local.get $at) (i32.load8_u (local.get $at)))) (i32.const 1000)))))
  (func $runs (local $i i32) (local $j i32)
    (loop
      (local.set $j (local.get $i))
      (loop
        (local.set $j (i32.add (local.get $j) (i32.const 1)))
        (br_if 0 (i32.eq (i32.load8_u (local.get $j)) (i32.load8_u (local.get $i)))))
      (br_if 0 (i32.lt_u (local.tee $i (local.get $j)) (i32.const 2000)))))
  (func $merge (local $i i32) (local $j i32) (local $first i32)
    (block
      (loop
        (local.set $first (i32.lt_s (i32.load (local.get $i)) (i32.load offset=4096 (local.get $j))))
        (local.set $i (i32.add (local.get $i) (local.get $first)))
        (local.set $j (i32.add (local.get $j) (i32.eqz (local.get $first))))
        (br_if 1 (i32.ge_u (local.get $i) (i32.const 500)))
        (br_if 0 (i32.lt_u (local.get $j) (i32.const 500))))))
  (func $stack (local $i i32) (local $top i32)
    (loop
      (i32.store8 (local.get $i) (i32.const 1))
      (br_if 0 (i32.lt_s (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 3000))))
    (local.set $top (i32.const 1))
    (loop
      (local.set $top (i32.sub (local.get $top) (i32.const 1)))
      (if (i32.load8_u (local.get $top))
        (then (local.set $top (i32.add (local.get $top) (i32.load8_u offset=1 (local.get $top))))))
      (br_if 0 (local.get $top))))
  (func $wraps (local $i i32)
    (local.set $i (i32.const -7))
    (loop
      (br_if 0 (i32.ne
        (local.tee $i (i32.add (local.get $i) (i32.const -1431655765))) (i32.const 0)))))
  (func (export "_start")
    (call $jumps) (call $runs) (call $merge) (call $stack) (call $wraps)))
;; ---- expected ----
;; wasm-module, entry "_start", input dependent: true
;; ops 1.03e5 (4.64e4 to 2.29e5)
;;   const 1.51e4 (7.19e3 to 3.16e4)
;;   local 4.40e4 (2.10e4 to 9.22e4)
;;   int_alu 2.01e4 (9.61e3 to 4.22e4)
;;   load 8.39e3 (4.01e3 to 1.76e4)
;;   store 2.91e3 (1.39e3 to 6.09e3)
;;   branch 1.24e4 (5.94e3 to 2.61e4)
;;   call 4.84e0 (2.31e0 to 1.02e1)
;; bytes: loaded 1.67e4 (7.96e3 to 3.49e4), stored 2.91e3 (1.39e3 to 6.09e3), bulk 0
;; memory 65536, maximum none, peak 65536
;; parallelism Serial
;; isa 
;; Function _start depth 0 share 1.000 trips unknown = -, Unknown
;; Function stack depth 0 share 0.657 trips unknown = -, Unknown
;; Loop stack depth 1 share 0.376 trips 2.98e3 (5.29e1 to 1.04e4) = -, Carried branchy
;;   accesses: 0 contiguous, 0 strided, 0 invariant, 2 indirect; strides []; footprint 4.45e2 (4.37e0 to 2.42e3), traffic 5.00e3 (9.64e1 to 1.57e4)
;;   branchy: it decides at every turn: a core that predicts branches well helps, vectors hardly
;; Function merge depth 0 share 0.306 trips unknown = -, Unknown
;; Loop merge depth 1 share 0.306 trips 1.34e3 (5.26e2 to 3.34e3) = -, Carried
;;   accesses: 0 contiguous, 0 strided, 0 invariant, 2 indirect; strides []; footprint 1.14e3 (3.58e1 to 3.90e3), traffic 1.07e4 (4.21e3 to 2.68e4)
;; Loop stack depth 1 share 0.281 trips 3000 = -, Independent simd fpga
;;   accesses: 1 contiguous, 0 strided, 0 invariant, 0 indirect; strides [1]; footprint 3000, traffic 3000
;;   simd: iterations are free of each other and go through memory one element after the other
;;   fpga: a fixed number of iterations on narrow integers, each of which can follow the one before at once
;; Function jumps depth 0 share 0.031 trips unknown = -, Unknown
;; Loop jumps depth 1 share 0.031 trips 3.95e2 (1.96e1 to 1.00e3) = -, Carried
;;   accesses: 0 contiguous, 0 strided, 0 invariant, 1 indirect; strides []; footprint 2.77e1 (1.21e0 to 5.97e2), traffic 3.95e2 (1.96e1 to 1.00e3)
;; warning: trip counts that the code does not tell: the operator count may lie anywhere from 4.6e4 to 2.3e5
