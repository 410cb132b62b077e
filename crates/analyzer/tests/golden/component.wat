;; A component that exports wasi:cli/run; the core module inside is what counts.
(component
  (core module $m
    (func (export "wasi:cli/run@0.2.3#run") (result i32) (local $i i32)
      (loop $l (br_if $l (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 50))))
      (i32.const 0)))
  (core instance $i (instantiate $m))
  (func $run (result (result)) (canon lift (core func $i "wasi:cli/run@0.2.3#run")))
  (instance $exported (export "run" (func $run)))
  (export "wasi:cli/run@0.2.3" (instance $exported)))
;; ---- expected ----
;; wasm-component, entry "wasi:cli/run", input dependent: false
;; ops 352
;;   const 101
;;   local 100
;;   int_alu 100
;;   branch 50
;; bytes: loaded 0, stored 0, bulk 0
;; memory 0, maximum 0, peak 0
;; parallelism Serial
;; isa 
;; Function wasi:cli/run@0.2.3#run depth 0 share 1.000 trips unknown = -, Unknown
;; Loop wasi:cli/run@0.2.3#run depth 1 share 0.994 trips 50 = -, Independent
