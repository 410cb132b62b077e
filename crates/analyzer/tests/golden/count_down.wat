;; Counting down to zero, the test being the variable itself; a second loop goes down by three.
(module
  (func (export "_start") (local $i i32)
    (local.set $i (i32.const 500))
    (loop $l
      (br_if $l (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
    (local.set $i (i32.const 100))
    (loop $m
      (br_if $m (i32.gt_s (local.tee $i (i32.add (local.get $i) (i32.const -3))) (i32.const 0))))))
;; ---- expected ----
;; wasm-module, entry "_start", input dependent: false
;; ops 2743
;;   const 570
;;   local 1070
;;   int_alu 568
;;   branch 534
;; bytes: loaded 0, stored 0, bulk 0
;; memory 0, maximum 0, peak 0
;; parallelism Serial
;; isa 
;; Function _start depth 0 share 1.000 trips unknown = -, Unknown
;; Loop _start depth 1 share 0.911 trips 500 = -, Independent
;; Loop _start depth 1 share 0.087 trips 34 = -, Independent
