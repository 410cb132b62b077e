;; How many things a caller has been seen to deal with is handed on to what it calls once: a text of ten thousand characters is
;; written, and another function finds its length.
(module (memory 1)
  (func $length (param $at i32) (result i32) (local $from i32)
    (local.set $from (local.get $at))
    (loop $more
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br_if $more (i32.load8_u (local.get $at))))
    (i32.sub (local.get $at) (local.get $from)))
  (func (export "_start") (local $i i32)
    (loop $write
      (i32.store8 (i32.add (local.get $i) (i32.const 1024)) (i32.const 97))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $write (i32.lt_u (local.get $i) (i32.const 10000))))
    (drop (call $length (i32.const 1024)))))
;; ---- expected ----
;; wasm-module, entry "_start", input dependent: true
;; ops 1.71e5 (1.21e5 to 3.78e5)
;;   const 4.46e4 (3.40e4 to 9.15e4)
;;   local 5.83e4 (4.45e4 to 1.19e5)
;;   int_alu 3.52e4 (2.68e4 to 7.21e4)
;;   load 6.83e3 (5.21e3 to 1.40e4)
;;   store 9.45e3 (7.21e3 to 1.94e4)
;;   branch 1.63e4 (1.24e4 to 3.34e4)
;;   call 9.45e-1 (7.21e-1 to 1.94e0)
;; bytes: loaded 6.83e3 (5.21e3 to 1.40e4), stored 9.45e3 (7.21e3 to 1.94e4), bulk 0
;; memory 65536, maximum none, peak 65536
;; parallelism Serial
;; isa 
;; Function _start depth 0 share 1.000 trips unknown = -, Unknown
;; Loop _start depth 1 share 0.720 trips 10000 = -, Independent simd fpga
;;   accesses: 1 contiguous, 0 strided, 0 invariant, 0 indirect; strides [1]; footprint 10000, traffic 10000
;;   simd: iterations are free of each other and go through memory one element after the other
;;   fpga: a fixed number of iterations on narrow integers, each of which can follow the one before at once
;; Function length depth 0 share 0.280 trips unknown = -, Unknown
;; Loop length depth 1 share 0.280 trips 5.82e3 (2.05e1 to 3.14e4) = -, Unknown
;;   independent if iterations beyond the last may be run and forgotten
;;   accesses: 1 contiguous, 0 strided, 0 invariant, 0 indirect; strides [1]; footprint 5.81e3 (2.05e1 to 3.14e4), traffic 5.81e3 (2.05e1 to 3.14e4)
;; warning: trip counts that the code does not tell: the operator count may lie anywhere from 1.2e5 to 3.8e5
