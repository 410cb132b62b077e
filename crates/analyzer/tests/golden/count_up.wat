;; A bottom-tested loop as LLVM emits it: exact.
(module
  (memory 1)
  (func (export "_start") (local $i i32)
    (loop $l
      (i32.store (i32.shl (local.get $i) (i32.const 2)) (local.get $i))
      (br_if $l (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1000))))))
;; ---- expected ----
;; wasm-module, entry "_start", input dependent: false
;; ops 12001
;;   const 3000
;;   local 4000
;;   int_alu 3000
;;   store 1000
;;   branch 1000
;; bytes: loaded 0, stored 4000, bulk 0
;; memory 65536, maximum none, peak 65536
;; parallelism Serial
;; isa 
;; Function _start depth 0 share 1.000 trips unknown = -, Unknown
;; Loop _start depth 1 share 1.000 trips 1000 = -, Independent simd
;;   accesses: 1 contiguous, 0 strided, 0 invariant, 0 indirect; strides [4]; footprint 4000, traffic 4000
;;   simd: iterations are free of each other and go through memory one element after the other
