;; gains from: simd threads fast-memory
;;
;; float x[1<<23], y[1<<23];
;; void _start(void) { for (int i = 0; i < 1<<23; i++) y[i] = 3.0f * x[i] + y[i]; }
(module
  (type (;0;) (func))
  (memory (;0;) 1040)
  (global (;0;) (mut i32) i32.const 1048576)
  (export "memory" (memory 0))
  (export "_start" (func 0))
  (func (;0;) (type 0)
    (local i32 i32)
    i32.const -33554432
    local.set 0
    loop ;; label = @1
      local.get 0
      i32.const 68157440
      i32.add
      local.tee 1
      local.get 0
      i32.const 34603008
      i32.add
      f32.load
      f32.const 0x1.8p+1 (;=3;)
      f32.mul
      local.get 1
      f32.load
      f32.add
      f32.store
      local.get 0
      i32.const 68157444
      i32.add
      local.tee 1
      local.get 0
      i32.const 34603012
      i32.add
      f32.load
      f32.const 0x1.8p+1 (;=3;)
      f32.mul
      local.get 1
      f32.load
      f32.add
      f32.store
      local.get 0
      i32.const 8
      i32.add
      local.tee 0
      br_if 0 (;@1;)
    end
  )
)

