;; gains from: simd threads fpga
;;
;; unsigned char in[1<<20], out[1<<20];
;; void _start(void) { for (int i = 0; i < 1<<20; i++) out[i] = in[i] > 100 ? 255 : 0; }
(module
  (type (;0;) (func))
  (memory (;0;) 48)
  (global (;0;) (mut i32) i32.const 1048576)
  (export "memory" (memory 0))
  (export "_start" (func 0))
  (func (;0;) (type 0)
    (local i32)
    i32.const -1048576
    local.set 0
    loop ;; label = @1
      local.get 0
      i32.const 3145728
      i32.add
      i32.const -1
      i32.const 0
      local.get 0
      i32.const 2097152
      i32.add
      i32.load8_u
      i32.const 100
      i32.gt_u
      select
      i32.store8
      local.get 0
      i32.const 3145729
      i32.add
      i32.const -1
      i32.const 0
      local.get 0
      i32.const 2097153
      i32.add
      i32.load8_u
      i32.const 100
      i32.gt_u
      select
      i32.store8
      local.get 0
      i32.const 3145730
      i32.add
      i32.const -1
      i32.const 0
      local.get 0
      i32.const 2097154
      i32.add
      i32.load8_u
      i32.const 100
      i32.gt_u
      select
      i32.store8
      local.get 0
      i32.const 3145731
      i32.add
      i32.const -1
      i32.const 0
      local.get 0
      i32.const 2097155
      i32.add
      i32.load8_u
      i32.const 100
      i32.gt_u
      select
      i32.store8
      local.get 0
      i32.const 4
      i32.add
      local.tee 0
      br_if 0 (;@1;)
    end
  )
)

