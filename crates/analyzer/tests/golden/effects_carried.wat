;; Loops that call what changes a global, what reads what the last call left in its frame, and what a table holds; and one
;; that hands on what a call returned.
(module
  (memory 4)
  (table 1 funcref)
  (elem (i32.const 0) $square)
  (type $unary (func (param i32) (result i32)))
  (global $stack (mut i32) (i32.const 131072))
  (global $calls (mut i32) (i32.const 0))
  (func $square (param i32) (result i32) (i32.mul (local.get 0) (local.get 0)))
  (func $counts (param i32) (result i32)
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (i32.mul (local.get 0) (global.get $calls)))
  (func $leaves (param i32) (result i32) (local $frame i32)
    ;; What the last call left in the frame is read.
    (global.set $stack (local.tee $frame (i32.sub (global.get $stack) (i32.const 16))))
    (local.set 0 (i32.add (local.get 0) (i32.load offset=12 (local.get $frame))))
    (i32.store offset=12 (local.get $frame) (local.get 0))
    (global.set $stack (i32.add (local.get $frame) (i32.const 16)))
    (local.get 0))
  (func $each_counted (local $i i32)
    (loop $l
      (i32.store offset=4096 (local.get $i) (call $counts (local.get $i)))
      (br_if $l (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 4))) (i32.const 16000)))))
  (func $sum_left (result i32) (local $i i32) (local $s i32)
    (loop $l
      (local.set $s (i32.add (local.get $s) (call $leaves (local.get $i))))
      (br_if $l (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 4))) (i32.const 16000))))
    (local.get $s))
  (func $by_table (local $i i32)
    (loop $l
      (i32.store offset=4096 (local.get $i)
        (call_indirect (type $unary) (i32.load offset=4096 (local.get $i)) (i32.const 0)))
      (br_if $l (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 4))) (i32.const 16000)))))
  (func $handed_on (result i32) (local $i i32) (local $x i32)
    ;; Each call is given what the one before returned.
    (loop $l
      (local.set $x (call $square (local.get $x)))
      (br_if $l (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 4))) (i32.const 16000))))
    (local.get $x))
  (func (export "_start")
    (call $each_counted) (drop (call $sum_left)) (call $by_table) (drop (call $handed_on))))
;; ---- expected ----
;; wasm-module, entry "_start", input dependent: false
;; ops 324011
;;   const 48000
;;   local 120002
;;   global 24000
;;   int_alu 52000
;;   int_mul 12000
;;   load 8000
;;   store 12000
;;   branch 16000
;;   call 12004
;;   call_indirect 4000
;; bytes: loaded 32000, stored 48000, bulk 0
;; memory 262144, maximum none, peak 262144
;; parallelism Serial
;; isa 
;; Function _start depth 0 share 1.000 trips unknown = -, Unknown
;; Function sum_left depth 0 share 0.383 trips unknown = -, Unknown
;; Loop sum_left depth 1 share 0.383 trips 4000 = -, Unknown
;;   independent if its calls neither share state nor touch what it accesses
;;   accumulates sum
;; Function each_counted depth 0 share 0.235 trips unknown = -, Unknown
;; Function leaves depth 0 share 0.235 trips unknown = -, Unknown
;; Loop each_counted depth 1 share 0.235 trips 4000 = -, Unknown
;;   independent if its calls neither share state nor touch what it accesses
;;   accesses: 1 contiguous, 0 strided, 0 invariant, 0 indirect; strides [4]; footprint 16000, traffic 16000
;; Function by_table depth 0 share 0.210 trips unknown = -, Unknown
;; Loop by_table depth 1 share 0.210 trips 4000 = -, Independent
;;   accesses: 2 contiguous, 0 strided, 0 invariant, 0 indirect; strides [4]; footprint 16000, traffic 32000
;; Function handed_on depth 0 share 0.173 trips unknown = -, Unknown
;; Loop handed_on depth 1 share 0.173 trips 4000 = -, Carried
;; Function square depth 0 share 0.099 trips unknown = -, Unknown
;; Function counts depth 0 share 0.099 trips unknown = -, Unknown
