;; Errors on the way end the program, each by its own check: none is a run to plan for. And a comparison that is bounded
;; by its counter's type alone ends by what it compares.
(module
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $sizes (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_get" (func $args (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory 1)
  (func $compare (param $a i32) (param $b i32) (result i32) (local $i i32)
    (block $differ
      (loop $next
        (br_if $differ
          (i32.ne (i32.load8_u (i32.add (local.get $a) (local.get $i)))
            (i32.load8_u (i32.add (local.get $b) (local.get $i)))))
        (br_if $next (local.tee $i (i32.add (local.get $i) (i32.const 1))))))
    (local.get $i))
  (func $main (param $times i32) (local $i i32)
    (loop $next
      (drop (call $compare (i32.const 64) (i32.const 512)))
      (br_if $next (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 100)))))
  (func (export "_start")
    (block $arguments
      (block $sizes
        (br_if $sizes (call $sizes (i32.const 0) (i32.const 4)))
        (br_if $arguments (call $args (i32.const 8) (i32.const 256)))
        (call $main (i32.load (i32.const 0)))
        (return))
      (call $exit (i32.const 71))
      (unreachable))
    (call $exit (i32.const 70))
    (unreachable)))
;; ---- expected ----
;; wasm-module, entry "_start", input dependent: true
;; ops 1.40e4 (2.21e3 to 6.90e4)
;;   const 1.19e3 (1.88e2 to 5.87e3)
;;   local 5.42e3 (8.56e2 to 2.67e4)
;;   int_alu 3.65e3 (5.76e2 to 1.80e4)
;;   load 1.77e3 (2.80e2 to 8.73e3)
;;   branch 1.78e3 (2.80e2 to 8.74e3)
;;   call 1.03e2 (1.63e1 to 5.07e2)
;; bytes: loaded 1.78e3 (2.81e2 to 8.75e3), stored 0, bulk 0
;; memory 65536, maximum none, peak 65536
;; parallelism Serial
;; io Process wasi_snapshot_preview1.args_sizes_get 1
;; io Process wasi_snapshot_preview1.args_get 1
;; io Process wasi_snapshot_preview1.proc_exit 0
;; isa 
;; Function _start depth 0 share 1.000 trips unknown = -, Unknown
;; Function main depth 0 share 0.999 trips unknown = -, Unknown
;; Loop main depth 1 share 0.999 trips 100 = -, Unknown
;;   independent if its calls neither share state nor touch what it accesses
;; Function compare depth 0 share 0.928 trips unknown = -, Unknown
;; Loop compare depth 1 share 0.913 trips 8.87e0 (1.00e0 to 4.55e1) = -, Unknown
;;   independent if iterations beyond the last may be run and forgotten
;;   accesses: 2 contiguous, 0 strided, 0 invariant, 0 indirect; strides [1]; footprint 1.77e1 (2.00e0 to 9.10e1), traffic 1.77e3 (1.39e2 to 9.39e3)
;; warning: trip counts that the code does not tell: the operator count may lie anywhere from 2.2e3 to 6.9e4
