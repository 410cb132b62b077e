;; gains from: simd threads fpga
;;
;; unsigned short a[1<<20]; unsigned out;
;; void _start(void) { unsigned s = 0; for (int i = 0; i < 1<<20; i++) s += a[i]; out = s; }
(module
  (type (;0;) (func))
  (memory (;0;) 49)
  (global (;0;) (mut i32) i32.const 1048576)
  (export "memory" (memory 0))
  (export "_start" (func 0))
  (func (;0;) (type 0)
    (local i32 i32)
    i32.const 0
    local.set 0
    i32.const -2097152
    local.set 1
    loop ;; label = @1
      local.get 0
      local.get 1
      i32.const 3145728
      i32.add
      i32.load16_u
      i32.add
      local.get 1
      i32.const 3145730
      i32.add
      i32.load16_u
      i32.add
      local.get 1
      i32.const 3145732
      i32.add
      i32.load16_u
      i32.add
      local.get 1
      i32.const 3145734
      i32.add
      i32.load16_u
      i32.add
      local.set 0
      local.get 1
      i32.const 8
      i32.add
      local.tee 1
      br_if 0 (;@1;)
    end
    i32.const 0
    local.get 0
    i32.store offset=3145728
  )
)

