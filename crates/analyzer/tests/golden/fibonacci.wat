;; Recursion on a constant argument is followed to its end: exact.
(module
  (func $fib (param $n i32) (result i32)
    (if (result i32) (i32.lt_s (local.get $n) (i32.const 2))
      (then (local.get $n))
      (else (i32.add
        (call $fib (i32.sub (local.get $n) (i32.const 1)))
        (call $fib (i32.sub (local.get $n) (i32.const 2)))))))
  (func (export "_start") (drop (call $fib (i32.const 20)))))
;; ---- expected ----
;; wasm-module, entry "_start", input dependent: false
;; ops 218909
;;   const 43782
;;   local 54727
;;   int_alu 54726
;;   branch 21891
;;   call 21891
;; bytes: loaded 0, stored 0, bulk 0
;; memory 0, maximum 0, peak 0
;; parallelism Serial
;; isa 
;; Function fib depth 0 share 1.000 trips unknown = -, Unknown
;; Function _start depth 0 share 1.000 trips unknown = -, Unknown
