;; A loop whose last way round is taken under a condition, with a branch out of everything behind it: no endless loop.
(module
  (memory 1)
  (func (export "_start") (local $i i32)
    (block $done
      (loop $outer
        (loop $skip
          (local.set $i (i32.add (local.get $i) (i32.const 4)))
          (br_if $skip (i32.eqz (i32.load (local.get $i))))
          (br $done))))))
;; ---- expected ----
;; wasm-module, entry "_start", input dependent: true
;; ops 5.35e1 (9.43e0 to 1.98e2)
;;   const 6.46e0 (1.21e0 to 2.25e1)
;;   local 1.94e1 (3.62e0 to 6.75e1)
;;   int_alu 1.29e1 (2.42e0 to 4.50e1)
;;   load 6.46e0 (1.21e0 to 2.25e1)
;;   branch 7.35e0 (1.38e0 to 2.56e1)
;; bytes: loaded 2.58e1 (4.83e0 to 9.01e1), stored 0, bulk 0
;; memory 65536, maximum none, peak 65536
;; parallelism Serial
;; isa 
;; Function _start depth 0 share 1.000 trips unknown = -, Unknown
;; Loop _start depth 1 share 0.983 trips 1 = -, Carried
;;   accesses: 0 contiguous, 0 strided, 0 invariant, 1 indirect; strides []; footprint 8.52e0 (4.00e0 to 1.79e1), traffic 2.58e1 (4.42e0 to 9.11e1)
;; Loop _start depth 2 share 0.966 trips 6.43e0 (1.00e0 to 2.30e1) = -, Unknown
;;   independent if iterations beyond the last may be run and forgotten
;;   accesses: 1 contiguous, 0 strided, 0 invariant, 0 indirect; strides [4]; footprint 2.57e1 (4.00e0 to 9.22e1), traffic 2.57e1 (4.00e0 to 9.22e1)
;; warning: trip counts that the code does not tell: the operator count may lie anywhere from 9.4e0 to 2.0e2
