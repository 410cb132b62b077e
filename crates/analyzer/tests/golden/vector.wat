;; Vectorised by four: elementwise, without dependence.
(module
  (memory 1)
  (func (export "_start") (local $i i32)
    (loop $l
      (v128.store offset=16384 (local.get $i)
        (f32x4.mul (v128.load (local.get $i)) (v128.load offset=8192 (local.get $i))))
      (br_if $l (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 16))) (i32.const 4096))))))
;; ---- expected ----
;; wasm-module, entry "_start", input dependent: false
;; ops 3585
;;   const 512
;;   local 1280
;;   int_alu 512
;;   vector 256
;;   load 512
;;   store 256
;;   branch 256
;; bytes: loaded 8192, stored 4096, bulk 0
;; memory 65536, maximum none, peak 65536
;; parallelism Serial
;; isa simd
;; Function _start depth 0 share 1.000 trips unknown = -, Unknown
;; Loop _start depth 1 share 1.000 trips 256 = -, Independent
;;   accesses: 3 contiguous, 0 strided, 0 invariant, 0 indirect; strides [16]; footprint 12288, traffic 12288
