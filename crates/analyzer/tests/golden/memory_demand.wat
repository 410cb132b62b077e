;; Bulk operations are charged by size; a constant growth is known.
(module
  (memory 2 64)
  (func (export "_start")
    (drop (memory.grow (i32.const 6)))
    (memory.fill (i32.const 0) (i32.const 1) (i32.const 100000))
    (memory.copy (i32.const 100000) (i32.const 0) (i32.const 5000))))
;; ---- expected ----
;; wasm-module, entry "_start", input dependent: false
;; ops 11
;;   const 7
;;   bulk 3
;; bytes: loaded 0, stored 0, bulk 105000
;; memory 131072, maximum 4194304, peak 5.24e5 (1.31e5 to 5.24e5)
;; parallelism Serial
;; asks by memory.grow: calls unknown, bytes 393216
;; isa bulk-memory
;; Function _start depth 0 share 1.000 trips unknown = -, Unknown
