;; gains from: large-pages fast-memory
;;
;; unsigned next[1<<24]; unsigned out;
;; void _start(void) { unsigned p = 0; for (int i = 0; i < 1<<22; i++) p = next[p]; out = p; }
(module
  (type (;0;) (func))
  (memory (;0;) 1041)
  (global (;0;) (mut i32) i32.const 1048576)
  (export "memory" (memory 0))
  (export "_start" (func 0))
  (func (;0;) (type 0)
    (local i32 i32)
    i32.const 0
    local.set 0
    i32.const 4194304
    local.set 1
    loop ;; label = @1
      local.get 0
      i32.const 2
      i32.shl
      i32.load offset=1048576
      i32.const 2
      i32.shl
      i32.load offset=1048576
      i32.const 2
      i32.shl
      i32.load offset=1048576
      i32.const 2
      i32.shl
      i32.load offset=1048576
      i32.const 2
      i32.shl
      i32.load offset=1048576
      i32.const 2
      i32.shl
      i32.load offset=1048576
      i32.const 2
      i32.shl
      i32.load offset=1048576
      i32.const 2
      i32.shl
      i32.load offset=1048576
      local.set 0
      local.get 1
      i32.const -8
      i32.add
      local.tee 1
      br_if 0 (;@1;)
    end
    i32.const 0
    local.get 0
    i32.store offset=68157440
  )
)

