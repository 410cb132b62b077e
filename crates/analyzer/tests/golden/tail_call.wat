;; Winch cannot compile tail calls.
(module
  (func $loop (param i32) (if (local.get 0) (then (return_call $loop (i32.sub (local.get 0) (i32.const 1))))))
  (func (export "_start") (call $loop (i32.const 10))))
;; ---- expected ----
;; wasm-module, entry "_start", input dependent: false
;; ops 76
;;   const 11
;;   local 21
;;   int_alu 10
;;   branch 11
;;   call 11
;; bytes: loaded 0, stored 0, bulk 0
;; memory 0, maximum 0, peak 0
;; parallelism Serial
;; isa tail-call
;; not winch: tail-call
;; Function loop depth 0 share 1.000 trips unknown = -, Unknown
;; Function _start depth 0 share 1.000 trips unknown = -, Unknown
