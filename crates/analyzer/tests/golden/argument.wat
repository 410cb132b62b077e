;; Constants flow through calls to parameters: exact. The expression names the parameter.
(module
  (func $kernel (param $n i32) (result i32) (local $i i32) (local $s i32)
    (if (i32.gt_s (local.get $n) (i32.const 0))
      (then
        (loop $l
          (local.set $s (i32.xor (local.get $s) (local.get $i)))
          (br_if $l (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))))
    (local.get $s))
  (func $through (param $n i32) (result i32) (call $kernel (i32.shl (local.get $n) (i32.const 1))))
  (func (export "_start")
    (drop (call $kernel (i32.const 1024)))
    (drop (call $through (i32.const 10)))
    (drop (call $kernel (i32.const -1)))))
;; ---- expected ----
;; wasm-module, entry "_start", input dependent: false
;; ops 11514
;;   const 1050.547
;;   local 6272.269
;;   int_alu 3136.635
;;   branch 1046.545
;;   call 4.002
;; bytes: loaded 0, stored 0, bulk 0
;; memory 0, maximum 0, peak 0
;; parallelism Serial
;; isa 
;; Function _start depth 0 share 1.000 trips unknown = -, Unknown
;; Function kernel depth 0 share 0.998 trips unknown = -, Unknown
;; Loop kernel depth 1 share 0.997 trips 522 = p0, Reduction
;;   accumulates exclusive or
;; Function through depth 0 share 0.020 trips unknown = -, Unknown
