;; gains from:
;;
;; unsigned char in[1<<20]; unsigned h[256];
;; void _start(void) { for (int i = 0; i < 1<<20; i++) h[in[i]]++; }
(module
  (type (;0;) (func))
  (memory (;0;) 33)
  (global (;0;) (mut i32) i32.const 1048576)
  (export "memory" (memory 0))
  (export "_start" (func 0))
  (func (;0;) (type 0)
    (local i32 i32)
    i32.const -1048576
    local.set 0
    loop ;; label = @1
      local.get 0
      i32.const 2098176
      i32.add
      i32.load8_u
      i32.const 2
      i32.shl
      local.tee 1
      local.get 1
      i32.load offset=1048576
      i32.const 1
      i32.add
      i32.store offset=1048576
      local.get 0
      i32.const 2098177
      i32.add
      i32.load8_u
      i32.const 2
      i32.shl
      local.tee 1
      local.get 1
      i32.load offset=1048576
      i32.const 1
      i32.add
      i32.store offset=1048576
      local.get 0
      i32.const 2098178
      i32.add
      i32.load8_u
      i32.const 2
      i32.shl
      local.tee 1
      local.get 1
      i32.load offset=1048576
      i32.const 1
      i32.add
      i32.store offset=1048576
      local.get 0
      i32.const 2098179
      i32.add
      i32.load8_u
      i32.const 2
      i32.shl
      local.tee 1
      local.get 1
      i32.load offset=1048576
      i32.const 1
      i32.add
      i32.store offset=1048576
      local.get 0
      i32.const 4
      i32.add
      local.tee 0
      br_if 0 (;@1;)
    end
  )
)

