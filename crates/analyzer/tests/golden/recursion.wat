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
;; ops 6.86e2 (1.32e1 to 4.02e3)
;;   const 7.84e1 (1.51e0 to 4.60e2)
;;   local 1.51e2 (2.90e0 to 8.84e2)
;;   int_alu 7.54e1 (1.45e0 to 4.42e2)
;;   load 1.52e2 (2.92e0 to 8.90e2)
;;   branch 7.54e1 (1.45e0 to 4.42e2)
;;   call 7.74e1 (1.49e0 to 4.53e2)
;; bytes: loaded 6.07e2 (1.17e1 to 3.56e3), stored 0, bulk 0
;; memory 65536, maximum none, peak 65536
;; parallelism Serial
;; io Random wasi_snapshot_preview1.random_get 1
;; isa 
;; Function _start depth 0 share 1.000 trips unknown = -, Unknown
;; Function walk depth 0 share 0.990 trips unknown = -, Unknown
;; warning: recursive calls: their depth is guessed
;; warning: trip counts that the code does not tell: the operator count may lie anywhere from 1.3e1 to 4.0e3
