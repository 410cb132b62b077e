;; As LLVM lays it out: the second loop stands inside the first, where the first is left, and the third inside the second.
(module
  (memory 1)
  (func $_start (export "_start") (local $i i32) (local $j i32)
    (local.set $i (i32.const -100))
    loop $first
      (i32.store (i32.add (local.get $i) (i32.const 4096)) (local.get $i))
      block $stay
        (br_if $stay (local.tee $i (i32.add (local.get $i) (i32.const 1))))
        (local.set $j (i32.const 0))
        loop $second
          (local.set $j (i32.add (local.get $j) (i32.const 3)))
          (br_if $second (i32.ne (local.get $j) (i32.const 30)))
          (local.set $i (i32.const 50))
          loop $third
            (br_if $third (local.tee $i (i32.sub (local.get $i) (i32.const 2))))
          end
        end
        return
      end
      br $first
    end))
;; ---- expected ----
;; wasm-module, entry "_start", input dependent: false
;; ops 1311
;;   const 248
;;   local 483
;;   int_alu 245
;;   store 100
;;   branch 234
;; bytes: loaded 0, stored 400, bulk 0
;; memory 65536, maximum none, peak 65536
;; parallelism Serial
;; isa 
;; Function _start depth 0 share 1.000 trips unknown = -, Unknown
;; Loop _start depth 1 share 0.838 trips 100 = -, Carried
;;   accesses: 1 contiguous, 0 strided, 0 invariant, 0 indirect; strides [1]; footprint 103, traffic 400
;; Loop _start depth 1 share 0.095 trips 25 = -, Independent
;; Loop _start depth 1 share 0.061 trips 10 = -, Independent
