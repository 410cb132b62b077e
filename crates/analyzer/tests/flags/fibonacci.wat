;; gains from:
;;
;; unsigned long long f[100000];
;; void _start(void) { f[0] = 0; f[1] = 1; for (int i = 2; i < 100000; i++) f[i] = f[i-1] + f[i-2]; }
(module
  (type (;0;) (func))
  (memory (;0;) 29)
  (global (;0;) (mut i32) i32.const 1048576)
  (export "memory" (memory 0))
  (export "_start" (func 0))
  (func (;0;) (type 0)
    (local i64 i32)
    i64.const 1
    local.set 0
    i32.const 0
    i64.const 1
    i64.store offset=1048584
    i32.const 0
    i64.const 0
    i64.store offset=1048576
    i32.const -799984
    local.set 1
    loop ;; label = @1
      local.get 1
      i32.const 1848576
      i32.add
      local.get 1
      i32.const 1848560
      i32.add
      i64.load
      local.get 0
      i64.add
      local.tee 0
      i64.store
      local.get 1
      i32.const 1848584
      i32.add
      local.get 1
      i32.const 1848568
      i32.add
      i64.load
      local.get 0
      i64.add
      local.tee 0
      i64.store
      local.get 1
      i32.const 16
      i32.add
      local.tee 1
      br_if 0 (;@1;)
    end
  )
)

