;; Loops that call what computes alone, keeps a frame of its own, or reads memory.
(module
  (memory 4)
  (global $stack (mut i32) (i32.const 131072))
  (func $square (param i32) (result i32) (i32.mul (local.get 0) (local.get 0)))
  (func $framed (param i32) (result i32) (local $frame i32)
    ;; What it keeps in its frame is gone when it returns.
    (global.set $stack (local.tee $frame (i32.sub (global.get $stack) (i32.const 16))))
    (i32.store offset=12 (local.get $frame) (call $square (local.get 0)))
    (i32.store offset=8 (local.get $frame) (i32.add (i32.load offset=12 (local.get $frame)) (i32.const 1)))
    (global.set $stack (i32.add (local.get $frame) (i32.const 16)))
    (i32.load offset=8 (local.get $frame)))
  (func $looks_up (param i32) (result i32)
    (i32.load (i32.shl (i32.and (local.get 0) (i32.const 255)) (i32.const 2))))
  (func $each_squared (local $i i32)
    (loop $l
      (i32.store offset=4096 (local.get $i) (call $square (i32.load offset=4096 (local.get $i))))
      (br_if $l (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 4))) (i32.const 16000)))))
  (func $each_framed (local $i i32)
    (loop $l
      (i32.store offset=4096 (local.get $i) (call $framed (i32.load offset=4096 (local.get $i))))
      (br_if $l (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 4))) (i32.const 16000)))))
  (func $sum_looked_up (result i32) (local $i i32) (local $s i32)
    (loop $l
      (local.set $s (i32.add (local.get $s) (call $looks_up (i32.load offset=4096 (local.get $i)))))
      (br_if $l (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 4))) (i32.const 16000))))
    (local.get $s))
  (func $each_looked_up (local $i i32)
    (loop $l
      (i32.store offset=4096 (local.get $i) (call $looks_up (i32.load offset=4096 (local.get $i))))
      (br_if $l (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 4))) (i32.const 16000)))))
  (func (export "_start")
    (call $each_squared) (call $each_framed) (drop (call $sum_looked_up)) (call $each_looked_up)))
;; ---- expected ----
;; wasm-module, entry "_start", input dependent: false
;; ops 372010
;;   const 60000
;;   local 120001
;;   global 12000
;;   int_alu 64000
;;   int_mul 8000
;;   load 32000
;;   store 20000
;;   branch 16000
;;   call 20004
;; bytes: loaded 128000, stored 80000, bulk 0
;; memory 262144, maximum none, peak 262144
;; parallelism Serial
;; isa 
;; Function _start depth 0 share 1.000 trips unknown = -, Unknown
;; Function each_framed depth 0 share 0.409 trips unknown = -, Unknown
;; Loop each_framed depth 1 share 0.409 trips 4000 = -, Independent
;;   accesses: 2 contiguous, 0 strided, 0 invariant, 0 indirect; strides [4]; footprint 16000, traffic 32000
;; Function framed depth 0 share 0.280 trips unknown = -, Unknown
;; Function sum_looked_up depth 0 share 0.215 trips unknown = -, Unknown
;; Loop sum_looked_up depth 1 share 0.215 trips 4000 = -, Reduction
;;   accumulates sum
;;   accesses: 1 contiguous, 0 strided, 0 invariant, 0 indirect; strides [4]; footprint 16000, traffic 16000
;; Function each_looked_up depth 0 share 0.204 trips unknown = -, Unknown
;; Loop each_looked_up depth 1 share 0.204 trips 4000 = -, Unknown
;;   independent if its calls read nothing that it writes
;;   accesses: 2 contiguous, 0 strided, 0 invariant, 0 indirect; strides [4]; footprint 16000, traffic 32000
;; Function each_squared depth 0 share 0.172 trips unknown = -, Unknown
;; Loop each_squared depth 1 share 0.172 trips 4000 = -, Independent
;;   accesses: 2 contiguous, 0 strided, 0 invariant, 0 indirect; strides [4]; footprint 16000, traffic 32000
;; Function looks_up depth 0 share 0.151 trips unknown = -, Unknown
;; Function square depth 0 share 0.086 trips unknown = -, Unknown
