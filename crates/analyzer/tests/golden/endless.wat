;; A loop that nothing leaves: the run is seen to have no end.
(module
  (func $_start (export "_start") (local $i i32)
    loop
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      br 0
    end))
;; ---- expected ----
;; wasm-module, entry "_start", input dependent: true
;; ops 7.90e14 (3.11e12 to 5.52e15)
;;   const 1.58e14 (6.22e11 to 1.10e15)
;;   local 3.16e14 (1.24e12 to 2.21e15)
;;   int_alu 1.58e14 (6.22e11 to 1.10e15)
;;   branch 1.58e14 (6.22e11 to 1.10e15)
;; bytes: loaded 0, stored 0, bulk 0
;; memory 0, maximum 0, peak 0
;; parallelism Serial
;; isa 
;; Function _start depth 0 share 1.000 trips unknown = -, Unknown
;; Loop _start depth 1 share 1.000 trips 5.39e14 (2.59e12 to 2.64e15) = -, Unknown
;;   independent if iterations beyond the last may be run and forgotten
;; warning: a loop without an exit: it runs until it is stopped
;; warning: trip counts that the code does not tell: the operator count may lie anywhere from 3.1e12 to 5.5e15
