;; The inner bound is the outer variable: the mean trip count is exact.
(module
  (func (export "_start") (local $i i32) (local $j i32)
    (local.set $i (i32.const 1))
    (loop $l
      (local.set $j (i32.const 0))
      (loop $m
        (br_if $m (i32.ne (local.tee $j (i32.add (local.get $j) (i32.const 1))) (local.get $i))))
      (br_if $l (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 101))))))
;; ---- expected ----
;; wasm-module, entry "_start", input dependent: false
;; ops 36253
;;   const 5351
;;   local 15451
;;   int_alu 10300
;;   branch 5150
;; bytes: loaded 0, stored 0, bulk 0
;; memory 0, maximum 0, peak 0
;; parallelism Serial
;; isa 
;; Function _start depth 0 share 1.000 trips unknown = -, Unknown
;; Loop _start depth 1 share 1.000 trips 100 = -, Independent
;; Loop _start depth 2 share 0.975 trips 50.5 = -, Independent
