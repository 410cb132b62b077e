;; gains from: simd threads fast-memory
;;
;; float a[1<<24]; float out;
;; void _start(void) { float m = a[0]; for (int i = 1; i < 1<<24; i++) m = a[i] > m ? a[i] : m; out = m; }
(module
  (type (;0;) (func))
  (memory (;0;) 1041)
  (global (;0;) (mut i32) i32.const 1048576)
  (export "memory" (memory 0))
  (export "_start" (func 0))
  (func (;0;) (type 0)
    (local f32 i32 f32 f32 f32 f32 f32)
    i32.const 0
    f32.load offset=1048576
    local.set 0
    i32.const -67108860
    local.set 1
    loop ;; label = @1
      local.get 1
      i32.const 68157456
      i32.add
      f32.load
      local.tee 2
      local.get 1
      i32.const 68157452
      i32.add
      f32.load
      local.tee 3
      local.get 1
      i32.const 68157448
      i32.add
      f32.load
      local.tee 4
      local.get 1
      i32.const 68157444
      i32.add
      f32.load
      local.tee 5
      local.get 1
      i32.const 68157440
      i32.add
      f32.load
      local.tee 6
      local.get 0
      local.get 6
      local.get 0
      f32.gt
      select
      local.tee 0
      local.get 5
      local.get 0
      f32.gt
      select
      local.tee 0
      local.get 4
      local.get 0
      f32.gt
      select
      local.tee 0
      local.get 3
      local.get 0
      f32.gt
      select
      local.tee 0
      local.get 2
      local.get 0
      f32.gt
      select
      local.set 0
      local.get 1
      i32.const 20
      i32.add
      local.tee 1
      br_if 0 (;@1;)
    end
    i32.const 0
    local.get 0
    f32.store offset=68157440
  )
)

