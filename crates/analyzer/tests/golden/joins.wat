;; Values that agree on all paths survive a join, those that differ do not; code after `br` is not counted.
(module
  (import "env" "coin" (func $coin (result i32)))
  (func (export "_start") (local $i i32) (local $n i32) (local $step i32)
    (local.set $step (i32.const 2))
    (if (call $coin)
      (then (local.set $n (i32.const 100)))
      (else (local.set $n (i32.const 100))))
    (block $b
      (br_if $b (call $coin))
      (local.set $i (i32.const 0)))
    (block $c
      (br $c)
      (local.set $step (i32.const 1)))
    (local.set $i (i32.const 0))
    (loop $l
      (block $skip
        (br_if $skip (call $coin))
        (nop))
      (br_if $l (i32.lt_s (local.tee $i (i32.add (local.get $i) (local.get $step))) (i32.const 1000))))))
;; ---- expected ----
;; wasm-module, entry "_start", input dependent: false
;; ops 4.51e3 (4.42e3 to 4.60e3)
;;   const 5.03e2 (5.03e2 to 5.03e2)
;;   local 1.50e3 (1.50e3 to 1.50e3)
;;   int_alu 1.00e3 (1.00e3 to 1.00e3)
;;   branch 1.00e3 (1.00e3 to 1.00e3)
;;   call 5.02e2 (5.02e2 to 5.02e2)
;; bytes: loaded 0, stored 0, bulk 0
;; memory 0, maximum 0, peak 0
;; parallelism Serial
;; io Other env.coin 502
;; isa 
;; Function _start depth 0 share 1.000 trips unknown = -, Unknown
;; Loop _start depth 1 share 0.997 trips 500 = -, Unknown branchy
;;   independent if its calls neither share state nor touch what it accesses
;;   branchy: it decides at every turn: a core that predicts branches well helps, vectors hardly
