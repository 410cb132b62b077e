;; Shared memory, atomics, and a program that starts threads.
(module
  (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
  (import "env" "memory" (memory 1 16 shared))
  (func (export "wasi_thread_start") (param i32 i32)
    (drop (i32.atomic.rmw.add (i32.const 0) (i32.const 1))))
  (func (export "_start") (drop (call $spawn (i32.const 0)))))
;; ---- expected ----
;; wasm-module, entry "_start", input dependent: false
;; ops 3
;;   const 1
;;   call 1
;; bytes: loaded 0, stored 0, bulk 0
;; memory 65536, maximum 1048576, peak 65536
;; parallelism Threads
;; contention: shared-memory at the memory that the threads it starts share
;; io Threads wasi.thread-spawn 1
;; isa threads
;; not pulley: threads
;; Function _start depth 0 share 1.000 trips unknown = -, Unknown
