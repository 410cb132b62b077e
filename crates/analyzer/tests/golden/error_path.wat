;; A long loop on a path that ends in `unreachable` does not count.
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory 1)
  (func $fail (local $i i32)
    (loop $l (br_if $l (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 100000000))))
    unreachable)
  (func (export "_start")
    (block $ok
      (br_if $ok (i32.eqz (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))
      (call $fail)
      (unreachable))))
;; ---- expected ----
;; wasm-module, entry "_start", input dependent: false
;; ops 8
;;   const 4
;;   int_alu 1
;;   branch 1
;;   call 1
;; bytes: loaded 0, stored 0, bulk 0
;; memory 65536, maximum none, peak 65536
;; parallelism Serial
;; io Filesystem wasi_snapshot_preview1.fd_write 1
;; isa 
;; Function _start depth 0 share 1.000 trips unknown = -, Unknown
