;; gains from: simd threads fpga
;;
;; unsigned char a[1<<20], b[1<<20], c[1<<20];
;; void _start(void) { for (int i = 0; i < 1<<20; i++) c[i] = (a[i] * 77 + b[i] * 179) >> 8; }
(module
  (type (;0;) (func))
  (memory (;0;) 64)
  (global (;0;) (mut i32) i32.const 1048576)
  (export "memory" (memory 0))
  (export "_start" (func 0))
  (func (;0;) (type 0)
    (local i32)
    i32.const -1048576
    local.set 0
    loop ;; label = @1
      local.get 0
      i32.const 4194304
      i32.add
      local.get 0
      i32.const 3145728
      i32.add
      i32.load8_u
      i32.const 179
      i32.mul
      local.get 0
      i32.const 2097152
      i32.add
      i32.load8_u
      i32.const 77
      i32.mul
      i32.add
      i32.const 8
      i32.shr_u
      i32.store8
      local.get 0
      i32.const 4194305
      i32.add
      local.get 0
      i32.const 3145729
      i32.add
      i32.load8_u
      i32.const 179
      i32.mul
      local.get 0
      i32.const 2097153
      i32.add
      i32.load8_u
      i32.const 77
      i32.mul
      i32.add
      i32.const 8
      i32.shr_u
      i32.store8
      local.get 0
      i32.const 2
      i32.add
      local.tee 0
      br_if 0 (;@1;)
    end
  )
)

