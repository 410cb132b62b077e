;; A table-driven checksum: the table gives it away; an accumulation over memory in order beside it.
(module
  (memory 1)
  (data (i32.const 1024) "\00\00\00\00\96\30\07\77\2c\61\0e\ee\ba\51\09\99\19\c4\6d\07")
  (func $crc (local $i i32) (local $c i32)
    (loop $l
      (local.set $c (i32.xor
        (i32.load offset=1024 (i32.shl (i32.and (i32.xor (local.get $c) (i32.load8_u (local.get $i))) (i32.const 3)) (i32.const 2)))
        (i32.shr_u (local.get $c) (i32.const 8))))
      (br_if $l (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1000)))))
  (func $sum (result f32) (local $i i32) (local $s f32)
    (loop $l
      (local.set $s (f32.add (local.get $s) (f32.load (local.get $i))))
      (br_if $l (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 4))) (i32.const 8000))))
    (local.get $s))
  (func (export "_start") (call $crc) (drop (call $sum))))
;; ---- expected ----
;; wasm-module, entry "_start", input dependent: false
;; ops 45006
;;   const 9000
;;   local 16001
;;   int_alu 11000
;;   float_add 2000
;;   load 4000
;;   branch 3000
;;   call 2
;; bytes: loaded 13000, stored 0, bulk 0
;; memory 65536, maximum none, peak 65536
;; parallelism Serial
;; isa 
;; library algorithm: CRC-32
;; Function _start depth 0 share 1.000 trips unknown = -, Unknown
;; Function sum depth 0 share 0.533 trips unknown = -, Unknown
;; Loop sum depth 1 share 0.533 trips 2000 = -, Reduction simd
;;   accumulates float sum
;;   accesses: 1 contiguous, 0 strided, 0 invariant, 0 indirect; strides [4]; footprint 8000, traffic 8000
;;   simd: iterations are free of each other and go through memory one element after the other; adding floats in another order changes the last digits
;; Function crc depth 0 share 0.467 trips unknown = -, Unknown crypto
;;   crypto: works as CRC-32 does, by its constants or its rounds
;; Loop crc depth 1 share 0.467 trips 1000 = -, Carried
;;   accesses: 1 contiguous, 0 strided, 0 invariant, 1 indirect; strides [1]; footprint 1.43e3 (1.01e3 to 3.88e3), traffic 5000
