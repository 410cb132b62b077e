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
;; ops 4.38e3 (2.09e3 to 1.53e4)
;;   const 5.19e2 (2.62e2 to 1.70e3)
;;   local 1.59e3 (8.03e2 to 5.23e3)
;;   int_alu 1.09e3 (5.50e2 to 3.58e3)
;;   load 5.02e2 (2.53e2 to 1.65e3)
;;   branch 5.03e2 (2.54e2 to 1.65e3)
;;   call 9.06e1 (4.57e1 to 2.98e2)
;; bytes: loaded 5.05e2 (2.55e2 to 1.66e3), stored 0, bulk 0
;; memory 65536, maximum none, peak 65536
;; parallelism Serial
;; io Process wasi_snapshot_preview1.args_sizes_get 1
;; io Process wasi_snapshot_preview1.args_get 1
;; io Process wasi_snapshot_preview1.proc_exit 0
;; isa 
;; Function _start depth 0 share 1.000 trips unknown = -, Unknown
;; Function main depth 0 share 0.998 trips unknown = -, Unknown
;; Loop main depth 1 share 0.997 trips 100 = -, Independent
;; Function compare depth 0 share 0.797 trips unknown = -, Unknown
;; Loop compare depth 1 share 0.757 trips 2.45e0 (1.00e0 to 9.13e0) = -, Unknown
;;   independent if iterations beyond the last may be run and forgotten
;;   accesses: 2 contiguous, 0 strided, 0 invariant, 0 indirect; strides [1]; footprint 4.90e0 (2.00e0 to 1.83e1), traffic 4.79e2 (1.51e2 to 1.99e3)
;; warning: trip counts that the code does not tell: the operator count may lie anywhere from 2.1e3 to 1.5e4
