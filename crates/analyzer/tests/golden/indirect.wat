;; An indirect call goes to the functions of its type that the table holds.
(module
  (type $op (func (param i32) (result i32)))
  (table 3 funcref)
  (elem (i32.const 0) $inc $double $other)
  (func $inc (type $op) (i32.add (local.get 0) (i32.const 1)))
  (func $double (type $op) (i32.shl (local.get 0) (i32.const 1)))
  (func $other (param f64) (result f64) (local $i i32)
    (loop $l (br_if $l (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1000000))))
    (local.get 0))
  (func (export "_start") (local $i i32)
    (loop $l
      (drop (call_indirect (type $op) (local.get $i) (i32.and (local.get $i) (i32.const 1))))
      (br_if $l (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 100))))))
;; ---- expected ----
;; wasm-module, entry "_start", input dependent: false
;; ops 1601
;;   const 400
;;   local 500
;;   int_alu 400
;;   branch 100
;;   call_indirect 100
;; bytes: loaded 0, stored 0, bulk 0
;; memory 0, maximum 0, peak 0
;; parallelism Serial
;; isa 
;; Function _start depth 0 share 1.000 trips unknown = -, Unknown
;; Loop _start depth 1 share 0.999 trips 100 = -, Independent
;; Function inc depth 0 share 0.125 trips unknown = -, Unknown
;; Function double depth 0 share 0.125 trips unknown = -, Unknown
