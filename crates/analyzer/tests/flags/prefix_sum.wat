;; gains from:
;;
;; int a[1<<20];
;; void _start(void) { int s = 0; for (int i = 0; i < 1<<20; i++) { s += a[i]; a[i] = s; } }
(module
  (type (;0;) (func))
  (memory (;0;) 80)
  (global (;0;) (mut i32) i32.const 1048576)
  (export "memory" (memory 0))
  (export "_start" (func 0))
  (func (;0;) (type 0)
    (local i32 i32 i32)
    i32.const 0
    local.set 0
    i32.const -4194304
    local.set 1
    loop ;; label = @1
      local.get 1
      i32.const 5242880
      i32.add
      local.tee 2
      local.get 2
      i32.load
      local.get 0
      i32.add
      local.tee 0
      i32.store
      local.get 1
      i32.const 5242884
      i32.add
      local.tee 2
      local.get 2
      i32.load
      local.get 0
      i32.add
      local.tee 0
      i32.store
      local.get 1
      i32.const 5242888
      i32.add
      local.tee 2
      local.get 2
      i32.load
      local.get 0
      i32.add
      local.tee 0
      i32.store
      local.get 1
      i32.const 5242892
      i32.add
      local.tee 2
      local.get 2
      i32.load
      local.get 0
      i32.add
      local.tee 0
      i32.store
      local.get 1
      i32.const 16
      i32.add
      local.tee 1
      br_if 0 (;@1;)
    end
  )
)

