;; Recursion on something unknown: cautious, and said so.
(module
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (memory 1)
  (func $walk (param $p i32) (result i32)
    (if (result i32) (i32.load (local.get $p))
      (then (i32.add (call $walk (i32.load offset=4 (local.get $p))) (i32.const 1)))
      (else (i32.const 0))))
  (func (export "_start")
    (drop (call $random (i32.const 0) (i32.const 4096)))
    (drop (call $walk (i32.load (i32.const 8))))))
;; ---- expected ----
;; wasm-module, entry "_start", input dependent: true
;; ops 1.18e3 (1.35e1 to 2.33e5)
;;   const 1.32e2 (1.59e0 to 2.44e4)
;;   local 2.63e2 (3.17e0 to 4.88e4)
;;   int_alu 1.32e2 (1.59e0 to 2.44e4)
;;   load 2.63e2 (3.17e0 to 4.88e4)
;;   branch 1.32e2 (1.59e0 to 2.44e4)
;;   call 1.32e2 (1.59e0 to 2.44e4)
;; bytes: loaded 1.05e3 (1.27e1 to 1.95e5), stored 0, bulk 0
;; memory 65536, maximum none, peak 65536
;; parallelism Serial
;; io Random wasi_snapshot_preview1.random_get 1
;; isa 
;; Function _start depth 0 share 1.000 trips unknown = -, Unknown
;; Function walk depth 0 share 1.000 trips unknown = -, Unknown
;; warning: recursive calls: their depth is guessed
;; warning: trip counts that the code does not tell: the operator count may lie anywhere from 1.3e1 to 2.3e5
