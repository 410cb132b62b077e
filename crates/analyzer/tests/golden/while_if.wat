;; Top-tested loops as people write them: `br_if` out of a block, and `if` around the branch back.
(module
  (func (export "_start") (local $i i32)
    (block $out
      (loop $l
        (br_if $out (i32.ge_s (local.get $i) (i32.const 300)))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $l)))
    (loop $m
      (if (i32.lt_u (local.get $i) (i32.const 400))
        (then (local.set $i (i32.add (local.get $i) (i32.const 5))) (br $m))))))
;; ---- expected ----
;; wasm-module, entry "_start", input dependent: false
;; ops 2889
;;   const 642
;;   local 962
;;   int_alu 642
;;   branch 642
;; bytes: loaded 0, stored 0, bulk 0
;; memory 0, maximum 0, peak 0
;; parallelism Serial
;; isa 
;; Function _start depth 0 share 1.000 trips unknown = -, Unknown
;; Loop _start depth 1 share 0.936 trips 301 = -, Independent branchy
;;   branchy: it decides at every turn: a core that predicts branches well helps, vectors hardly
;; Loop _start depth 1 share 0.064 trips 21 = -, Independent branchy
;;   branchy: it decides at every turn: a core that predicts branches well helps, vectors hardly
