;; What LLVM makes of a vectorised loop that it unrolls by two: left from the middle by a branch, so that nothing comes to
;; its end, with the rest done one by one from where either way leads. Below the length that pays, all is done so.
(module
  (memory 2)
  (func $add (param $n i32) (local $at i32) (local $from i32)
    (block $rest
      (block $vector
        (br_if $vector (i32.gt_u (local.get $n) (i32.const 8)))
        (local.set $from (i32.const 0))
        (br $rest))
      (loop $next
        (i64.store (local.get $at) (i64.const 1))
        (block $more
          (br_if $more (i32.ne (local.get $at) (i32.const 576)))
          (local.set $from (i32.const 148))
          (br $rest))
        (i64.store offset=16 (local.get $at) (i64.const 1))
        (local.set $at (i32.add (local.get $at) (i32.const 32)))
        (br $next)))
    (loop $one
      (i32.store8 (local.get $from) (i32.const 1))
      (br_if $one (i32.ne (local.tee $from (i32.add (local.get $from) (i32.const 1))) (i32.const 150)))))
  (func (export "_start")
    (call $add (i32.const 150))
    (call $add (i32.const 4))))
;; ---- expected ----
;; wasm-module, entry "_start", input dependent: false
;; ops 1818
;;   const 536
;;   local 552
;;   int_alu 343
;;   store 189
;;   branch 193
;;   call 2
;; bytes: loaded 0, stored 448, bulk 0
;; memory 131072, maximum none, peak 131072
;; parallelism Serial
;; isa 
;; Function _start depth 0 share 1.000 trips unknown = -, Unknown
;; Function add depth 0 share 0.997 trips unknown = -, Unknown
;; Loop add depth 1 share 0.836 trips 76 = -, Independent simd fpga
;;   accesses: 1 contiguous, 0 strided, 0 invariant, 0 indirect; strides [1]; footprint 76, traffic 152
;;   simd: iterations are free of each other and go through memory one element after the other
;;   fpga: a fixed number of iterations on narrow integers, each of which can follow the one before at once
;; Loop add depth 1 share 0.152 trips 19 = -, Independent
;;   accesses: 0 contiguous, 2 strided, 0 invariant, 0 indirect; strides [32]; footprint 304, traffic 296
