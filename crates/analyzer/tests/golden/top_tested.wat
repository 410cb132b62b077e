;; A triangular nest whose loops are tested at their heads: 21 tests and 20 rows, 230 tests and 210 stores, 3245 operators.
(module
  (memory 1)
  (func (export "_start") (local $i i32) (local $j i32)
    (block $done
      (loop $outer
        (br_if $done (i32.ge_s (local.get $i) (i32.const 20)))
        (local.set $j (i32.const 0))
        (block $row
          (loop $inner
            (br_if $row (i32.gt_s (local.get $j) (local.get $i)))
            (i32.store (i32.shl (local.get $j) (i32.const 2)) (local.get $i))
            (local.set $j (i32.add (local.get $j) (i32.const 1)))
            (br $inner)))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $outer)))))
;; ---- expected ----
;; wasm-module, entry "_start", input dependent: false
;; ops 3245
;;   const 481
;;   local 1381
;;   int_alu 691
;;   store 210
;;   branch 481
;; bytes: loaded 0, stored 840, bulk 0
;; memory 65536, maximum none, peak 65536
;; parallelism Serial
;; isa 
;; Function _start depth 0 share 1.000 trips unknown = -, Unknown
;; Loop _start depth 1 share 1.000 trips 21 = -, Unknown
;;   accesses: 0 contiguous, 0 strided, 1 invariant, 0 indirect; strides []; footprint 46, traffic 840
;; Loop _start depth 2 share 0.931 trips 11.5 = -, Independent
;;   accesses: 1 contiguous, 0 strided, 0 invariant, 0 indirect; strides [4]; footprint 46, traffic 840
