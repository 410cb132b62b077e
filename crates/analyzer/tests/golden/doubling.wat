;; A variable that doubles, a loop that steps by it, and one bounded by the smaller of two numbers.
(module
  (memory 1)
  (func $_start (export "_start")
    (local $width i32) (local $low i32) (local $mid i32) (local $k i32)
    (local.set $width (i32.const 1))
    loop $passes
      (local.set $low (i32.const 0))
      loop $pairs
        (local.set $mid
          (select
            (i32.add (local.get $low) (local.get $width))
            (i32.const 1000)
            (i32.lt_s (i32.add (local.get $low) (local.get $width)) (i32.const 1000))))
        (local.set $k (local.get $low))
        loop $run
          (i32.store8 (local.get $k) (local.get $mid))
          (br_if $run (i32.lt_s (local.tee $k (i32.add (local.get $k) (i32.const 1))) (local.get $mid)))
        end
        (br_if $pairs
          (i32.lt_s (local.tee $low (i32.add (local.get $low) (i32.shl (local.get $width) (i32.const 1)))) (i32.const 1000)))
      end
      (br_if $passes (i32.lt_s (local.tee $width (i32.shl (local.get $width) (i32.const 1))) (i32.const 1000)))
    end))
;; ---- expected ----
;; wasm-module, entry "_start", input dependent: false
;; ops 7.29e4 (7.07e4 to 7.54e4)
;;   const 9.11e3 (9.01e3 to 9.24e3)
;;   local 3.54e4 (3.50e4 to 3.59e4)
;;   int_alu 1.72e4 (1.70e4 to 1.74e4)
;;   store 5.08e3 (5.02e3 to 5.15e3)
;;   branch 6.09e3 (6.02e3 to 6.17e3)
;; bytes: loaded 0, stored 5.08e3 (5.02e3 to 5.15e3), bulk 0
;; memory 65536, maximum none, peak 65536
;; parallelism Serial
;; isa 
;; Function _start depth 0 share 1.000 trips unknown = -, Unknown
;; Loop _start depth 1 share 1.000 trips 10 = -, Carried
;;   accesses: 0 contiguous, 0 strided, 1 invariant, 0 indirect; strides []; footprint 5.08e2 (5.00e2 to 5.18e2), traffic 5.08e3 (5.02e3 to 5.15e3)
;; Loop _start depth 2 share 0.999 trips 100.1 = -, Unknown
;;   accesses: 0 contiguous, 1 strided, 0 invariant, 0 indirect; strides []; footprint 5.08e2 (5.00e2 to 5.18e2), traffic 5.08e3 (5.02e3 to 5.15e3)
;; Loop _start depth 3 share 0.697 trips 5.07e0 (4.99e0 to 5.17e0) = -, Independent
;;   accesses: 1 contiguous, 0 strided, 0 invariant, 0 indirect; strides [1]; footprint 5.07e0 (4.99e0 to 5.17e0), traffic 5.08e3 (5.00e3 to 5.18e3)
