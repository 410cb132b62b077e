;; A loop that nothing leaves: the run is seen to have no end.
(module
  (func $_start (export "_start") (local $i i32)
    loop
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      br 0
    end))
;; ---- expected ----
;; wasm-module, entry "_start", input dependent: true
;; ops 2.36e14 (1.25e12 to 3.30e15)
;;   const 4.72e13 (2.66e11 to 6.22e14)
;;   local 9.43e13 (5.32e11 to 1.24e15)
;;   int_alu 4.72e13 (2.66e11 to 6.22e14)
;;   branch 4.72e13 (2.66e11 to 6.22e14)
;; bytes: loaded 0, stored 0, bulk 0
;; memory 0, maximum 0, peak 0
;; parallelism Serial
;; isa 
;; Function _start depth 0 share 1.000 trips unknown = -, Unknown
;; Loop _start depth 1 share 1.000 trips 3.83e14 (7.96e12 to 3.67e15) = -, Unknown
;;   independent if iterations beyond the last may be run and forgotten
;; warning: a loop without an exit: it runs until it is stopped
;; warning: trip counts that the code does not tell: the operator count may lie anywhere from 1.3e12 to 3.3e15
