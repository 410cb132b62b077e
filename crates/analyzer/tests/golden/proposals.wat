;; Proposals are told by the operators and types used.
(module
  (type $pair (struct (field i32) (field i32)))
  (type $f (func))
  (tag $e)
  (memory i64 1)
  (memory 1)
  (func $target)
  (elem declare func $target)
  (func (export "_start") (local (ref null $pair))
    (local.set 0 (struct.new $pair (i32.const 1) (i32.const 2)))
    (call_ref $f (ref.func $target))
    (drop (i32x4.relaxed_trunc_f32x4_s (v128.const i32x4 0 0 0 0)))
    (block $h (try_table (catch $e $h) (nop)))))
;; ---- expected ----
;; wasm-module, entry "_start", input dependent: false
;; ops 10
;;   const 4
;;   local 1
;;   vector 1
;;   call_indirect 1
;;   other 1
;; bytes: loaded 0, stored 0, bulk 0
;; memory 131072, maximum none, peak 131072
;; parallelism Serial
;; isa simd relaxed-simd function-references gc exceptions memory64 multi-memory
;; not winch: relaxed-simd
;; Function _start depth 0 share 1.000 trips unknown = -, Unknown
;; Function target depth 0 share 0.100 trips unknown = -, Unknown
