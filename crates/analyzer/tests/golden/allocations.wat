;; An allocator known by its name, asked for amounts that the code tells: the peak follows.
(module
  (memory 2)
  (global $top (mut i32) (i32.const 131072))
  (func $malloc (export "malloc") (param $bytes i32) (result i32) (local $at i32)
    (local.set $at (global.get $top))
    (global.set $top (i32.add (local.get $at) (local.get $bytes)))
    (if (i32.gt_u (global.get $top) (i32.shl (memory.size) (i32.const 16)))
      (then (drop (memory.grow
        (i32.add (i32.shr_u (local.get $bytes) (i32.const 16)) (i32.load (i32.const 0)))))))
    (local.get $at))
  (func $calloc (export "calloc") (param $count i32) (param $size i32) (result i32)
    (call $malloc (i32.mul (local.get $count) (local.get $size))))
  (func (export "_start") (local $i i32)
    (loop $l
      (drop (call $malloc (i32.const 10000)))
      (br_if $l (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 100))))
    (drop (call $calloc (i32.const 1000) (i32.const 64)))))
;; ---- expected ----
;; wasm-module, entry "_start", input dependent: false
;; ops 2.88e3 (2.20e3 to 3.20e3)
;;   const 5.62e2 (4.53e2 to 5.91e2)
;;   local 6.87e2 (5.54e2 to 7.23e2)
;;   global 3.05e2 (2.46e2 to 3.21e2)
;;   int_alu 7.63e2 (6.16e2 to 8.03e2)
;;   load 7.63e1 (6.16e1 to 8.03e1)
;;   branch 2.03e2 (1.64e2 to 2.14e2)
;;   call 1.03e2 (8.29e1 to 1.08e2)
;;   bulk 7.63e1 (6.16e1 to 8.03e1)
;; bytes: loaded 3.05e2 (2.46e2 to 3.21e2), stored 0, bulk 0
;; memory 131072, maximum none, peak 1.20e6 (1.31e5 to 1.26e6)
;; parallelism Serial
;; asks by malloc: calls 100, bytes 1000000
;; asks by calloc: calls 1, bytes 64000
;; asks by memory.grow: calls unknown, bytes unknown
;; isa 
;; Function _start depth 0 share 1.000 trips unknown = -, Unknown
;; Loop _start depth 1 share 0.990 trips 100 = -, Unknown
;;   independent if its calls neither share state nor touch what it accesses
;; Function malloc depth 0 share 0.675 trips unknown = -, Unknown
