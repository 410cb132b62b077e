;; A reactor: nothing says what runs.
(module
  (func (export "square") (param i32) (result i32) (i32.mul (local.get 0) (local.get 0))))
;; ---- expected ----
;; wasm-module, entry "", input dependent: true
;; ops unknown
;; bytes: loaded unknown, stored unknown, bulk unknown
;; memory 0, maximum 0, peak unknown
;; parallelism Serial
;; isa 
;; warning: no entry point: what a run executes cannot be told
